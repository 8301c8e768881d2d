/** Hosts and places as agents register them, without agents. */
import type { FleetDatabase } from '../../../src/fleet/database/database.ts'

export async function registerHosts(database: FleetDatabase, hosts: readonly string[]): Promise<void> {
  await database.query(
    `insert into holdfast.host (name, machine_id, boot_id, version, started_at)
     select name, 'machine of ' || name, 'boot', 'test', now() from unnest($1::text[]) as name
     on conflict (name) do update set seen_at = clock_timestamp()`,
    [[...hosts]],
  )
}

export interface KnownPlace {
  readonly host: string
  readonly tenant: string
  readonly verdict?: string
  /** Days ago. */
  readonly sound?: number
  readonly checked?: number
}

export async function insertPlaces(database: FleetDatabase, places: readonly KnownPlace[]): Promise<void> {
  await database.query(
    `insert into holdfast.place (host, service, tenant, path, verdict, damage, sound_at, checked_at)
     select host, 'notes', tenant, '/srv/' || tenant || '.db', verdict,
       case verdict when 'damaged' then 'index' else 'none' end,
       now() - make_interval(hours => (sound * 24)::integer), now() - make_interval(hours => (checked * 24)::integer)
     from jsonb_to_recordset($1::jsonb) as given(host text, tenant text, verdict text, sound numeric, checked numeric)`,
    [JSON.stringify(places)],
  )
}

/** `t00000`, `t00001` and so on. */
export const tenantNames = (total: number): readonly string[] =>
  Array.from({ length: total }, (_, at) => `t${String(at).padStart(5, '0')}`)
