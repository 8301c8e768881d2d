/**
 * Tells people of tenants that are on no host, on several hosts, or on other numbers of hosts than `fleet.replicas`
 * says. A tenant that moves is on two hosts for a while, or on none: what was not there at the look before is not told.
 */
import { createHash } from 'node:crypto'
import type { MeantReplicas } from '../../config/fleet/fleet-settings.ts'
import type { FleetDatabase } from '../database/database.ts'
import type { FoundByRule } from '../status/fleet-disagreement.ts'
import { findTenantHosts } from '../status/tenant-hosts.ts'
import { conditionOf, noteCondition } from './condition.ts'

/** So many tenants are named in an alarm. */
const namedMax = 5

export class MisplacedTenants {
  readonly #database: FleetDatabase
  readonly #replicas: readonly MeantReplicas[]
  #before: ReadonlySet<string> = new Set()

  constructor(database: FleetDatabase, replicas: readonly MeantReplicas[]) {
    this.#database = database
    this.#replicas = replicas
  }

  /** @throws {Failure} FLEET_* */
  async look(): Promise<void> {
    const found = (await findTenantHosts(this.#database, this.#replicas)).found.filter(({ total }) => total > 0)
    const now = new Map(found.map((one) => [digestOf(one), one]))
    for (const [digest, one] of now) if (this.#before.has(digest)) await this.#tell(digest, one)
    await this.#database.query(over, [found.map(({ rule }) => rule), [...now.keys()]])
    this.#before = new Set(now.keys())
  }

  async #tell(digest: string, { rule, total, listed }: FoundByRule): Promise<void> {
    const named = listed.slice(0, namedMax).map(({ said }) => said)
    const more = total > named.length ? ` And ${total - named.length} more.` : ''
    const text = `Where tenants are is not as it should be: ${named.join('; ')}.${more}`
    const about = { severity: 'inconclusive', text, command: 'holdfast fleet reconcile' } as const
    await noteCondition(this.#database, conditionOf('misplaced', rule, digest, about))
  }
}

const digestOf = ({ rule, total, listed }: FoundByRule): string =>
  createHash('sha256')
    .update(JSON.stringify([rule, total, listed.map(({ service, tenant, said }) => [service, tenant, said])]))
    .digest('hex')

/** What changed is told anew. What is gone is told as over. `$1`: rules of which something is found; `$2`: digests. */
const over = `
with ended as (
  update holdfast.told as known set over_at = now()
  where over_at is null and kind = 'misplaced' and since <> all($2)
  returning known.*
)
insert into holdfast.told (kind, subject, since, body)
select 'recovered', kind || ' ' || subject, since,
  body || jsonb_build_object('severity', 'recovered', 'over', body ->> 'severity', 'text', null, 'command', null)
from ended where sent_at is not null and subject <> all($1)
on conflict do nothing`
