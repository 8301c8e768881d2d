/** Slots of agents that are there in name alone, and what the database has answered them. */
import type { FleetDatabase } from '../../../../src/fleet/database/database.ts'
import { PauseSlots, type PauseSlotsOptions } from '../../../../src/fleet/pause/pause-slots.ts'
import type { NotGranted, TakenSlot } from '../../../../src/fleet/pause/slot-permit.ts'
import { eventually } from '../../processes.ts'
import type { FleetUnderTest } from '../each-database.ts'

/** Of the service `notes`, in no domain, unless `more` says otherwise. A database that does not answer fails the test. */
export const slotsOf = (database: FleetDatabase, host: string, more: Partial<PauseSlotsOptions> = {}): PauseSlots =>
  new PauseSlots({
    database,
    host,
    identity: `agent of ${host}`,
    service: 'notes',
    domain: null,
    expiryMs: 0,
    onTrouble: (trouble) => {
      throw trouble
    },
    ...more,
  })

/** @throws if no slot was granted */
export function granted(answer: TakenSlot | NotGranted): TakenSlot {
  if (!('rows' in answer)) throw new Error(`${answer.refused}: ${answer.why}`)
  return answer
}

/** @throws if a slot was granted */
export function refused(answer: TakenSlot | NotGranted): NotGranted {
  if ('rows' in answer) throw new Error(`a slot was granted: ${JSON.stringify(answer)}`)
  return answer
}

/**
 * Does `work` while a slot of these scopes is taken and not stored yet: `db1` has asked, and its statement goes on. The
 * limits must leave it a slot. With PGlite no statement begins before another has ended.
 */
export async function whileTaking(
  { database, open }: Pick<FleetUnderTest, 'database' | 'open'>,
  scopes: readonly string[],
  work: () => Promise<void>,
): Promise<void> {
  await using other = await open(60_000)
  const goOn = 'holdfast_test_go_on'
  await database.query(`
    create table holdfast.${goOn} (done boolean);
    grant select on holdfast.${goOn} to public;
    insert into holdfast.${goOn} values (false)`)
  const taking = other.query(`begin;
    select holdfast.pause_take(array['${scopes.join("', '")}'], 'db1', 'a', gen_random_uuid(), 0);
    select pg_advisory_xact_lock(${isTaking});
    do $$ begin while not exists (select from holdfast.${goOn} where done) loop perform pg_sleep(0.01); end loop; end $$;
    commit`)
  try {
    const locks = `select from pg_locks where locktype = 'advisory' and objid = ${isTaking} and granted`
    await eventually('a slot is being taken', async () => (await database.query(locks)).rowCount > 0)
    await work()
  } finally {
    await database.query(`update holdfast.${goOn} set done = true`)
    await taking
  }
}

/** A lock that no program of ours takes. */
const isTaking = 4711
