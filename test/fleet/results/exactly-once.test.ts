/**
 * M16: results are made, the sender is killed again and again (also between the commit and the deletion of a batch),
 * and the database is away for a while. Afterwards each result is stored once, and the last one is
 * what is known of its place.
 */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ResultDelivery } from '../../../src/fleet/results/delivery.ts'
import { Outbox } from '../../../src/fleet/results/outbox.ts'
import { sleep } from '../../../src/host/clock.ts'
import { startDatabaseRelay } from '../../support/fleet/database-relay.ts'
import { eachDatabase } from '../../support/fleet/each-database.ts'
import { runs } from '../../support/fleet/outgoing-results.ts'
import { eventually, startNode, type Program } from '../../support/processes.ts'
import { randomFrom } from '../../support/random.ts'

const seed = Number(process.env['HOLDFAST_SEED'] ?? Date.now() % 1e9)
const kills = 12

eachDatabase((fleet) => {
  test(`each of some hundred results is stored once (HOLDFAST_SEED=${seed})`, async () => {
    const random = randomFrom(seed)
    const dir = mkdtempSync(join(tmpdir(), 'once-'))
    using _dir = { [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }) }
    mkdirSync(join(dir, 'agent'))
    const truth = join(dir, 'truth')
    writeFileSync(truth, '')
    const made = (): readonly string[] => readFileSync(truth, 'utf8').split('\n').slice(0, -1)
    await using relay = await startDatabaseRelay(fleet.address)
    const start = (): Program =>
      startNode('test/support/programs/fleet/result-sender.ts', [dir, truth, JSON.stringify(relay.address), runs[0]])
    for (let time = 0; time < kills; time++) {
      const before = made().length
      const sender = start()
      // The database is away in the middle third of the attack.
      if (time === kills / 3) relay.freeze()
      if (time === (2 * kills) / 3) relay.thaw()
      // It may kill itself before.
      await Promise.race([sender.ended, eventually('some results are made', () => made().length > before + 10)])
      await sleep(random() * 300)
      sender.kill('SIGKILL')
      expect(await sender.ended).toMatchObject({ signal: 'SIGKILL', stderr: '' })
    }
    using outbox = Outbox.open(dir, Date.now())
    const { database } = fleet
    const rest = { database, outbox, host: 'alpha', service: 'notes', now: Date.now }
    const delivery = new ResultDelivery({ ...rest, onFailure: () => undefined, onNotice: () => undefined })
    await delivery.until(() => outbox.size.rows > 0, AbortSignal.timeout(60_000))
    await delivery[Symbol.asyncDispose]()

    const stored = await database.query<{ line: string }>(
      `select tenant || ' ' || attempt || ' ' || verdict as line from holdfast.result`,
    )
    // The last line may be missing in the file: it was killed between the outbox and the file.
    const lines = new Set(stored.rows.map(({ line }) => line))
    expect(made().length).toBeGreaterThan(kills)
    expect(lines.size).toBe(stored.rows.length)
    expect(made().filter((line) => !lines.has(line))).toEqual([])
    const counted = await database.query(
      `select sum(done)::int as done, sum(sound)::int as sound, sum(damaged)::int as damaged from holdfast.run_host`,
    )
    const last = await database.query(
      `select count(*)::int as done, count(*) filter (where verdict = 'sound')::int as sound,
         count(*) filter (where verdict = 'damaged')::int as damaged
       from (select distinct on (tenant) verdict from holdfast.result order by tenant, attempt desc) as newest`,
    )
    expect(counted.rows).toEqual(last.rows)
    const wrong = await database.query(
      `select tenant from holdfast.place as p
       where attempt <> (select max(attempt) from holdfast.result r where r.tenant = p.tenant)`,
    )
    expect(wrong.rows).toEqual([])
  })
})
