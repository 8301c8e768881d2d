/**
 * The example with systemd of src/service/hooks/README.md, as it stands there, with stand-ins for `systemctl` and for
 * the program of the unit: checks leave the program alone, and remedies stop and start it.
 */
import { expect, test } from 'vitest'
import { damageIndex } from '../../support/cli/folder.ts'
import { reportIn } from '../../support/cli/program.ts'
import { inDatabase, integrityOf } from '../../support/cli/remedies.ts'
import { openUnitHost } from '../../support/cli/units.ts'

const withoutPins = (text: string): string => text.replace(/^ *require: pinned.*\n/m, '')
const stopAndStart = ['stop vault.service', 'start vault.service']

test('without `require: pinned` a check stops the program, and starts it again', async () => {
  using host = openUnitHost({ change: withoutPins })
  const report = reportIn(await host.holdfast('check', '--tenant', 'vault', '--json'))
  expect(report.results.map(({ verdict, evidence }) => [verdict, evidence.level])).toEqual([['sound', 'sealed']])
  expect([host.takeCalls(), host.isRunning()]).toEqual([stopAndStart, true])
})

test('as it stands there a check and a sweep leave the program alone', async () => {
  using host = openUnitHost()
  for (const args of [['check', '--tenant', 'vault'], ['sweep']]) {
    const report = reportIn(await host.holdfast(...args, '--json'))
    expect(report.results.map(({ verdict, evidence }) => [verdict, evidence.level])).toEqual([['sound', 'pinned']])
    expect(report.results[0]?.evidence.quiesce).toBeNull()
  }
  expect([host.takeCalls(), host.isRunning()]).toEqual([[], true])
})

test('a repair stops the program for the plan, and for the change; the program runs afterwards', async () => {
  using host = openUnitHost({ before: damageIndex })
  const plan = await host.holdfast('repair', '--tenant', 'vault')
  expect([plan.code, plan.stdout, host.takeCalls(), host.isRunning()]).toEqual([
    0,
    expect.stringMatching(/next\n +holdfast repair --config \S+ --tenant vault --apply/),
    stopAndStart,
    true,
  ])
  const { code, stdout, stderr } = await host.holdfast('repair', '--tenant', 'vault', '--apply')
  expect([code, host.isRunning()], `${stdout}${stderr}`).toEqual([0, true])
  const calls = host.takeCalls()
  expect(calls.length).toBeGreaterThanOrEqual(4)
  expect(calls.every((call, at) => call === stopAndStart[at % 2])).toBe(true)
  host.systemctl('stop')
  expect(integrityOf(host.database)).toBe('ok')
  expect(
    inDatabase(host.database, (db) =>
      db.prepare("SELECT count(*) FROM notes INDEXED BY notes_title WHERE title = 'written'").pluck().get(),
    ),
  ).toBeGreaterThan(0)
})
