/** What two programs do at the same time: one has written rows that are not stored yet while the other one works. */
import { eventually } from '../processes.ts'
import type { FleetUnderTest } from './each-database.ts'

/** A lock that no program of ours takes. */
const isWriting = 4711
const mayEnd = 'holdfast.test_may_end'

/** Does `work` while the statement was done by an agent and is not stored. PostgreSQL only. It is stored afterwards. */
export async function whileUncommitted(
  { database, open }: Pick<FleetUnderTest, 'database' | 'open'>,
  statement: string,
  work: () => Promise<void>,
): Promise<void> {
  await using agent = await open(60_000)
  await database.query(`
    create table ${mayEnd} (now boolean);
    grant select on ${mayEnd} to public;
    insert into ${mayEnd} values (false)`)
  const writing = agent.query(`begin;
    ${statement};
    select pg_advisory_xact_lock(${isWriting});
    do $$ begin while not exists (select from ${mayEnd} where now) loop perform pg_sleep(0.01); end loop; end $$;
    commit`)
  try {
    const locks = `select from pg_locks where locktype = 'advisory' and objid = ${isWriting} and granted`
    await eventually('the statement was done', async () => (await database.query(locks)).rowCount > 0)
    await work()
  } finally {
    await database.query(`update ${mayEnd} set now = true`)
    await writing
    await database.query(`drop table ${mayEnd}`)
  }
}
