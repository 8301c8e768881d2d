/** Stops the pauses of a fleet, and waits until no tenant stands still any more. */
import { monotonicMs, sleep } from '../../host/clock.ts'
import { advisoryLock } from '../database/advisory-locks.ts'
import type { FleetDatabase } from '../database/database.ts'
import { openBreaker, type Breaker } from './breaker.ts'

/** One tenant that may be paused. */
export interface PausedTenant {
  /** The host that has the slot. */
  readonly holder: string
  readonly since: Date
}

export interface StoppedPauses {
  readonly breaker: Breaker
  /** The tenants of the scope that may still be paused. */
  readonly standing: readonly PausedTenant[]
}

const lookEveryMs = 200

/** Ends when all takes that began before it are stored. Those that begin after it see the breaker. */
const takesEnded = `select pg_advisory_xact_lock(${advisoryLock.takes})`

const standingOf = `
select holder, taken_at as since, expiry_ms as "expiryMs" from holdfast.pause_slot
where scope = $1 and holder is not null order by 2, 1`

/**
 * From its first statement on no slot is granted. A hold that has one may still begin within the window, so it waits
 * until all are back.
 * @param expiryMs how long it waits at most, or as long as the longest expiry of the slots that are taken. If the
 * signal aborts, it waits no longer, and the breaker stays open.
 * @throws {Failure} FLEET_*
 */
export async function stopPauses(
  database: FleetDatabase,
  request: Omit<Breaker, 'since'>,
  expiryMs: number,
  signal: AbortSignal,
): Promise<StoppedPauses> {
  const breaker = await openBreaker(database, request)
  await database.query(takesEnded)
  for (const beganMs = monotonicMs(); ; await sleep(lookEveryMs, signal).catch(() => undefined)) {
    const { rows } = await database.query<PausedTenant & { readonly expiryMs: number }>(standingOf, [request.scope])
    const waitMs = Math.max(expiryMs, ...rows.map((row) => row.expiryMs))
    const standing = rows.map(({ holder, since }) => ({ holder, since }))
    if (standing.length === 0 || monotonicMs() - beganMs > waitMs || signal.aborted) return { breaker, standing }
  }
}
