/**
 * The breaker: while one is open, no slot is granted in its scope. `holdfast fleet pause` opens it. So do
 * results that say that holdfast or its locks do harm (`fleet/database/schema/pauses.ts`), and damage on several hosts
 * (`fleet/coordinator/stop-after-damage.ts`). Only a person closes it.
 */
import { printable } from '../../text/printable.ts'
import type { FleetDatabase } from '../database/database.ts'

export interface Breaker {
  /** `fleet`, `service:NAME` or `domain:NAME`. */
  readonly scope: string
  readonly reason: string
  readonly since: Date
  readonly by: string
}

/** @returns the breaker of the scope, which may have been open before. @throws {Failure} FLEET_* */
export async function openBreaker(
  database: FleetDatabase,
  { scope, reason, by }: Omit<Breaker, 'since'>,
): Promise<Breaker> {
  const { rows } = await database.query<Breaker>(
    `with opened as (
        insert into holdfast.breaker(scope, reason, by) values ($1, $2, $3) on conflict do nothing
        returning scope, reason, since, by
      )
      select * from opened union all select scope, reason, since, by from holdfast.breaker where scope = $1 limit 1`,
    [scope, reason, by],
  )
  return rows[0] ?? { scope, reason, since: new Date(), by }
}

/** @param scope null: all. @returns those that were closed. @throws {Failure} FLEET_* */
export async function closeBreakers(
  database: FleetDatabase,
  scope: string | null,
  by: string,
): Promise<readonly Breaker[]> {
  const { rows } = await database.query<Breaker>(
    `with closed as (
        delete from holdfast.breaker where $1::text is null or scope = $1 returning scope, reason, since, by
      ), noted as (
        insert into holdfast.breaker_closed(scope, by) select scope, $2 from closed
        on conflict (scope) do update set at = now(), by = excluded.by
      )
      select * from closed order by scope`,
    [scope, by],
  )
  return rows
}

/** All that are open. @throws {Failure} FLEET_* */
export async function readOpenBreakers(database: FleetDatabase): Promise<readonly Breaker[]> {
  const { rows } = await database.query<Breaker>('select scope, reason, since, by from holdfast.breaker order by scope')
  return rows
}

/** `the fleet`, `the service notes`, `the domain rack-1`. */
export function placeOfScope(scope: string): string {
  const at = scope.indexOf(':')
  return `the ${printable(at < 0 ? scope : `${scope.slice(0, at)} ${scope.slice(at + 1)}`)}`
}

/** Names in the fleet that a breaker can be opened for. @throws {Failure} FLEET_* */
export async function namesOf(database: FleetDatabase, kind: 'service' | 'domain'): Promise<readonly string[]> {
  const { rows } = await database.query<{ readonly name: string }>(
    kind === 'service'
      ? 'select distinct service as name from holdfast.place order by 1'
      : 'select distinct domain as name from holdfast.host where domain is not null order by 1',
  )
  return rows.map(({ name }) => name)
}
