/**
 * Frees the slots of agents that died, froze or were cut off. A coordinator frees a slot only if it has itself watched
 * the same fence for the expiry, on its own monotonic clock. No wall clock takes part. If the host that took the slot
 * has a longer expiry in its configuration, that one counts: its pauses may be longer.
 *
 * If the epoch differs from the stored one, the database was replaced, restored or promoted, and may have forgotten
 * slots that are in use. No agent is granted one until a coordinator has watched the new epoch for the expiry. Several
 * coordinators may watch at the same time: each change is made only if no other has made it before.
 */
import { monotonicMs } from '../../host/clock.ts'
import type { FleetDatabase } from '../database/database.ts'
import { freeSlots } from './pause-slots.ts'
import type { SlotRow, TakenSlot } from './slot-permit.ts'

export interface WatchedPass {
  /** Slots that are taken, before this pass freed any. */
  readonly held: number
  readonly freed: readonly HeldRow[]
  /** `resting`: no slot is granted, because the epoch differs. `stored`: this pass has ended the rest. */
  readonly epoch: 'known' | 'resting' | 'stored'
}

/** A row of the limit that is taken. */
type HeldRow = SlotRow & { readonly holder: string; readonly expiryMs: number }

interface ObservedSlots {
  readonly epoch: string
  readonly generation: number
  readonly now: string
  readonly held: readonly HeldRow[]
  /** Of all hosts that ever had a slot; null if there is none. */
  readonly longestMs: number | null
}

export class SlotWatch {
  readonly #database: FleetDatabase
  readonly #expiryMs: number
  /** When a row was first seen with its fence, on the monotonic clock. */
  #since = new Map<string, number>()
  /** The epoch that is watched while it differs from the stored one. */
  #resting: { readonly key: string; readonly sinceMs: number } | null = null

  constructor(database: FleetDatabase, expiryMs: number) {
    this.#database = database
    this.#expiryMs = expiryMs
  }

  /** To be called every few seconds. @throws {Failure} FLEET_*; the next pass goes on where this one ended */
  async pass(): Promise<WatchedPass> {
    const askedAtMs = monotonicMs()
    const { rows } = await this.#database.query<ObservedSlots>(seeing)
    const [seen] = rows
    if (!seen) return { held: 0, freed: [], epoch: 'resting' }
    const seenAtMs = monotonicMs()
    if (seen.epoch !== seen.now) return this.#rest(seen, askedAtMs, seenAtMs)
    this.#resting = null
    // A row counts from when it was surely seen, until before it was asked for: the wait for the answer does not count.
    const since = new Map(seen.held.map((row) => [keyOf(row, seen), this.#since.get(keyOf(row, seen)) ?? seenAtMs]))
    this.#since = since
    const expired = seen.held.filter((row) => {
      const expiryMs = Math.max(this.#expiryMs, row.expiryMs)
      return askedAtMs - (since.get(keyOf(row, seen)) ?? askedAtMs) > expiryMs
    })
    const freed: HeldRow[] = []
    for (const row of expired) if ((await freeSlots(this.#database, asSlot(row, seen))) > 0) freed.push(row)
    await this.#database.query(dropping)
    return { held: seen.held.length, freed, epoch: 'known' }
  }

  async #rest(seen: ObservedSlots, askedAtMs: number, seenAtMs: number): Promise<WatchedPass> {
    const { epoch, generation, now, held, longestMs } = seen
    this.#since.clear() // The same fence may be another one now.
    const key = JSON.stringify([epoch, generation, now])
    if (this.#resting?.key !== key) this.#resting = { key, sinceMs: seenAtMs }
    const restMs = Math.max(this.#expiryMs, longestMs ?? 0)
    if (askedAtMs - this.#resting.sinceMs <= restMs) return { held: held.length, freed: [], epoch: 'resting' }
    const { rowCount } = await this.#database.query(storing, [now, epoch, generation])
    return { held: held.length, freed: [], epoch: rowCount > 0 ? 'stored' : 'resting' }
  }
}

/**
 * For the coordinator, when it starts. Rows above the limit are not granted any more, and deleted when they are free.
 */
export async function setPauseLimits(
  database: FleetDatabase,
  { fleet, service, domain }: { readonly fleet: number; readonly service: number; readonly domain: number },
): Promise<void> {
  await database.query(
    `insert into holdfast.pause_limit(kind, slots) values ('fleet', $1::integer), ('service', $2), ('domain', $3)
      on conflict (kind) do update set slots = excluded.slots`,
    [fleet, service, domain],
  )
}

const seeing = `
select e.id as epoch, e.generation, holdfast.pause_epoch_now() as now, coalesce((
  select jsonb_agg(jsonb_build_object('scope', scope, 'slot', slot, 'fence', fence::text, 'holder', holder,
    'expiryMs', expiry_ms))
  from holdfast.pause_slot where holder is not null
), '[]') as held, (select max(expiry_ms) from holdfast.pause_slot) as "longestMs"
from holdfast.pause_epoch e`

const storing = `
update holdfast.pause_epoch set id = $1, generation = generation + 1
where id = $2 and generation = $3 and holdfast.pause_epoch_now() = $1`

const dropping = `
delete from holdfast.pause_slot p using holdfast.pause_limit l
where l.kind = split_part(p.scope, ':', 1) and p.slot > l.slots and p.holder is null`

const keyOf = ({ scope, slot, fence }: SlotRow, { epoch, generation }: ObservedSlots): string =>
  JSON.stringify([epoch, generation, scope, slot, fence])

const asSlot = ({ scope, slot, fence }: SlotRow, { epoch, generation }: ObservedSlots): TakenSlot => ({
  epoch,
  generation,
  rows: [{ scope, slot, fence }],
})
