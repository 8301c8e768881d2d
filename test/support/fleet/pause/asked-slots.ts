/** Slots of agents that are there in name alone, and what the database has answered them. */
import type { FleetDatabase } from '../../../../src/fleet/database/database.ts'
import { PauseSlots, type PauseSlotsOptions } from '../../../../src/fleet/pause/pause-slots.ts'
import type { SlotRefusal, TakenSlot } from '../../../../src/fleet/pause/slot-permit.ts'
import type { FleetUnderTest } from '../each-database.ts'
import { whileUncommitted } from '../while-uncommitted.ts'

/** Of the service `notes`, in no domain, unless `more` says otherwise. A trouble of the database fails the test. */
export const slotsOf = (database: FleetDatabase, host: string, more: Partial<PauseSlotsOptions> = {}): PauseSlots =>
  new PauseSlots({
    database,
    host,
    identity: `agent of ${host}`,
    service: 'notes',
    domain: null,
    expiryMs: 0,
    onFailure: (trouble) => {
      throw trouble
    },
    ...more,
  })

/** @throws if no slot was granted */
export function grantedSlot(answer: TakenSlot | SlotRefusal): TakenSlot {
  if (!('rows' in answer)) throw new Error(`${answer.refused}: ${answer.why}`)
  return answer
}

/** @throws if a slot was granted */
export function refusedSlot(answer: TakenSlot | SlotRefusal): SlotRefusal {
  if ('rows' in answer) throw new Error(`a slot was granted: ${JSON.stringify(answer)}`)
  return answer
}

/**
 * Does `work` while a slot of these scopes is taken and not stored yet: `db1` has asked, and its statement goes on. The
 * limits must leave it a slot. With PGlite no statement begins before another has ended.
 */
export const whileTaking = (
  fleet: Pick<FleetUnderTest, 'database' | 'open'>,
  scopes: readonly string[],
  work: () => Promise<void>,
): Promise<void> =>
  whileUncommitted(
    fleet,
    `select holdfast.pause_take(array['${scopes.join("', '")}'], 'db1', 'a', gen_random_uuid(), 0)`,
    work,
  )
