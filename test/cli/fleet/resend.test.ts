/**
 * A database that was lost: the agents register anew, and `fleet reconcile --resend` brings back their results, and the
 * digests of tables of the last sound checks.
 */
import { expect, test } from 'vitest'
import { beginRun } from '../../../src/fleet/coordinator/runs/begin-run.ts'
import { readFleetFacts } from '../../../src/fleet/status/read-facts.ts'
import { newRunId } from '../../../src/ledger/run-lock/run-id.ts'
import { countsOf } from '../../../src/report/fleet/status/fleet-view.ts'
import { startHost } from '../../support/fleet/agent-hosts.ts'
import { eachDatabase } from '../../support/fleet/each-database.ts'
import { startCoordinator } from '../../support/fleet/running-coordinator.ts'
import { eventually } from '../../support/processes.ts'

eachDatabase((fleet) => {
  test('results that the database lost come back from the ledgers, each once; nothing is checked again', async () => {
    const { database } = fleet
    await using host = await startHost(fleet.address, 'alpha')
    await using coordinator = startCoordinator(fleet)
    await using agent = await host.startAgent()
    const run = newRunId()
    await beginRun(database, run, { kind: 'sweep', depth: 'full', hosts: null, service: null, by: 'a test' })
    const stateOf = async (kind: string): Promise<string | null> => {
      const { rows } = await database.query<{ state: string }>('select state from holdfast.run where kind = $1', [kind])
      return rows[0]?.state ?? null
    }
    const said = (): string => `${agent.stderr()}${coordinator.notices.join('\n')}`
    await eventually(`the sweep ends: ${said()}`, async () => (await stateOf('sweep')) === 'done')
    const results = async () =>
      (await database.query('select run, tenant, attempt, verdict from holdfast.result order by tenant')).rows
    const digests = async () =>
      (
        await database.query<{ digest: string | null }>(
          'select tenant, path, table_name, rows, digest, facts from holdfast.content order by tenant, table_name',
        )
      ).rows
    const before = await results()
    const digestsBefore = await digests()
    expect(digestsBefore.filter(({ digest }) => digest !== null).length).toBeGreaterThanOrEqual(3)
    expect(before).toEqual(host.demo.tenants.map((tenant) => ({ run, tenant, attempt: 1, verdict: 'sound' })))

    await database.query(`
        delete from holdfast.result; delete from holdfast.run; delete from holdfast.run_host;
        delete from holdfast.content;
        update holdfast.place set verdict = null, damage = null, checked_at = null, sound_at = null, run = null,
          attempt = null`)
    expect(countsOf(await readFleetFacts(database, 1000))).toMatchObject({ sound: 0, never: 3 })
    const asked = await host.holdfast.run('fleet', 'reconcile', '--resend', '--json')
    expect([asked.code, asked.stderr]).toEqual([0, ''])
    expect(JSON.parse(asked.stdout)).toMatchObject({ resent: 3 })
    await eventually(`the agent sends: ${said()}`, async () => (await stateOf('resend')) === 'done')
    expect(await results()).toEqual(before)
    expect(await digests()).toEqual(digestsBefore)
    expect(countsOf(await readFleetFacts(database, 3_600_000))).toMatchObject({ sound: 3, never: 0 })
    const { rows: sums } = await database.query('select run, done, sound from holdfast.run_host where done > 0')
    expect(sums).toEqual([{ run, done: 3, sound: 3 }])
  })
})
