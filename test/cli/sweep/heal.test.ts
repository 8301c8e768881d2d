/** `sweep --heal` changes what is beyond doubt, and says so. Without it a sweep changes nothing. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import type { HealReport } from '../../../src/model/result/heal-report.ts'
import type { Report } from '../../../src/model/result/report.ts'
import { damageIndex, makeDatabase } from '../../support/cli/folder.ts'
import { holdfast } from '../../support/cli/program.ts'
import { openServiceOf, type TestService } from '../../support/cli/service.ts'

type HealedReport = Report & { readonly healing?: HealReport }

/** With a second index, which shows that the table is right. */
function healable(path: string): string {
  makeDatabase(path, { wal: true })
  const database = new Database(path)
  database.exec('CREATE INDEX notes_body ON notes(body)')
  database.close()
  damageIndex(path)
  return path
}

/** Its only index: nothing shows whether it or the table is right. */
function doubtful(path: string): string {
  damageIndex(makeDatabase(path, { wal: true }))
  return path
}

async function sweepOf(service: TestService, ...args: readonly string[]): Promise<HealedReport> {
  const { stdout, stderr, code } = await holdfast(['sweep', '--json', '--config', service.config, ...args])
  expect(stdout, stderr).toMatch(/^\{/)
  const report = JSON.parse(stdout) as HealedReport
  expect(report.summary.exitCode).toBe(code)
  return report
}

const bytesOf = (service: TestService, id: string): Buffer => readFileSync(join(service.data, `${id}.db`))
const changed = ({ healing }: HealedReport): readonly (string | null)[] =>
  (healing?.results ?? []).flatMap(({ applied, tenant }) => (applied ? [tenant] : []))

describe('a damaged index beyond doubt', () => {
  test('is left as it is without --heal, and rebuilt with it; the exit code stays 2', async () => {
    await using service = await openServiceOf({ acme: healable, bolt: makeDatabase })
    const before = bytesOf(service, 'acme')
    const without = await sweepOf(service)
    expect([without.summary.exitCode, without.healing]).toEqual([2, undefined])
    expect(bytesOf(service, 'acme').equals(before)).toBe(true)

    const report = await sweepOf(service, '--heal')
    expect(report.summary).toMatchObject({ damaged: 1, sound: 1, exitCode: 2 })
    expect(report.healing).toMatchObject({ limit: 3, left: [], leftTotal: 0, stopped: null })
    expect(report.healing?.results).toMatchObject([
      {
        tenant: 'acme',
        plan: { do: 'rebuild', objects: ['notes_title'] },
        rehearsal: { verdict: 'sound', contentSame: true },
        applied: { verdict: 'sound', healthy: true },
        failure: null,
      },
    ])
    const { applied } = report.healing?.results[0] ?? {}
    expect(readFileSync(applied?.original ?? '').equals(before)).toBe(true)
    expect(service.gate.stateOf('acme')).toBe('active')
    expect((await sweepOf(service)).summary).toMatchObject({ sound: 2, exitCode: 0 })
  })

  test('is told in the first line of the report', async () => {
    await using service = await openServiceOf({ acme: healable })
    const { stdout, code } = await holdfast(['sweep', '--heal', '--config', service.config])
    expect(code).toBe(2)
    expect(stdout).toMatch(/^CHANGED BY --heal: acme\n/)
    expect(stdout).toContain('Self-healing: 1 file changed; heal.limit is 3 a sweep')
    expect(stdout).toMatch(/undo\n {4}holdfast repair --config \S+ --tenant acme --undo \w{26}/)
  })

  test('of more tenants than heal.limit is left to a person', async () => {
    await using service = await openServiceOf(
      { acme: healable, bolt: healable, crate: healable },
      { settings: { heal: { limit: 2 } } },
    )
    const report = await sweepOf(service, '--heal')
    expect(changed(report)).toHaveLength(2)
    expect(report.healing?.left).toEqual([
      { tenant: expect.anything() as string, why: 'heal.limit allows 2 in one sweep' },
    ])
    expect(changed(await sweepOf(service, '--heal'))).toHaveLength(1)
  })

  test('that is left to a person has the plan as its next step', async () => {
    await using service = await openServiceOf({ acme: healable, bolt: healable }, { settings: { heal: { limit: 1 } } })
    const { stdout } = await holdfast(['sweep', '--heal', '--config', service.config])
    const [, left = ''] = /left +(acme|bolt): heal\.limit allows 1/.exec(stdout) ?? []
    expect(stdout).toMatch(new RegExp(`holdfast repair --config \\S+ --tenant ${left}\n`))
    expect(stdout).not.toMatch(new RegExp(`--tenant ${left} --apply`))
  })

  test('that comes again on the same day is left to a person', async () => {
    await using service = await openServiceOf({ acme: healable })
    expect(changed(await sweepOf(service, '--heal'))).toEqual(['acme'])
    damageAgain(join(service.data, 'acme.db'))
    const again = await sweepOf(service, '--heal')
    expect([changed(again), again.healing?.left]).toEqual([
      [],
      [{ tenant: 'acme', why: 'it was changed within the last 24 hours' }],
    ])
  })
})

function damageAgain(path: string): void {
  const database = new Database(path)
  database.exec('DROP TABLE hidden')
  database.close()
  damageIndex(path)
}

test('what is in doubt, and what only a person can decide, is left as it is', async () => {
  await using service = await openServiceOf({ acme: doubtful, bolt: makeDatabase })
  const before = bytesOf(service, 'acme')
  const report = await sweepOf(service, '--heal')
  expect(report.healing).toMatchObject({
    results: [],
    left: [{ tenant: 'acme', why: 'nothing shows whether the index or the table is right' }],
    stopped: null,
  })
  expect(bytesOf(service, 'acme').equals(before)).toBe(true)
})

test('a change after which the tenant is unwell is taken back, and ends the healing', async () => {
  let closes = 0
  await using service = await openServiceOf(
    { acme: healable, bolt: healable },
    // Unwell once a tenant has been changed: after the hold of the sweep, that of the repair, and that of the change.
    { onClose: () => void closes++, healthy: () => closes < 4 },
  )
  const [acme, bolt] = [bytesOf(service, 'acme'), bytesOf(service, 'bolt')]
  const report = await sweepOf(service, '--heal')
  expect(changed(report)).toEqual([])
  // The one whose check ended first is healed first.
  expect(report.healing?.stopped).toMatch(/^(acme|bolt): the change was taken back in a second pause: /)
  expect([bytesOf(service, 'acme').equals(acme), bytesOf(service, 'bolt').equals(bolt)]).toEqual([true, true])
})
