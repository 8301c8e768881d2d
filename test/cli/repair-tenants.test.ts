/** `repair` of tenants of a live service: in a pause, checked afterwards, taken back if it did the tenant no good. */
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import type { RemedyReport } from '../../src/model/result/remedy.ts'
import { fingerprintOf, leaveEntries, makeDatabase } from '../support/cli/folder.ts'
import { holdfast } from '../support/cli/program.ts'
import { inDatabase, integrityOf, makeDamaged, onlyRemedy, remedyOf, zeroTableLeaf } from '../support/cli/remedies.ts'
import { openService } from '../support/cli/service.ts'
import { untilSeen } from '../support/coincidence.ts'

test('a tenant is mended in a pause, serves again, and its undo brings the bytes back', async () => {
  await using service = await openService({
    tenants: (data) => ({ acme: makeDamaged(join(data, 'acme.db')), bolt: join(data, 'bolt.db') }),
  })
  const path = join(service.data, 'acme.db')
  const plan = await remedyOf('repair', '--tenant', 'acme', '--config', service.config)
  expect(plan.run.registry).toBe('live')
  expect(onlyRemedy(plan)).toMatchObject({
    tenant: 'acme',
    plan: {
      do: 'rebuild',
      undo: 'holdfast repair --tenant acme --undo',
      command: 'holdfast repair --tenant acme --apply',
    },
    applied: null,
  })
  expect(onlyRemedy(plan).plan.predictedPauseMs).toBeGreaterThan(0)
  const before = readFileSync(path)
  const report = await remedyOf('repair', '--tenant', 'acme', '--apply', '--config', service.config)
  const { applied } = onlyRemedy(report)
  expect(applied, JSON.stringify(onlyRemedy(report).failure)).toMatchObject({
    method: 'swap',
    verdict: 'sound',
    healthy: true,
  })
  expect(applied?.pauseMs).toBeGreaterThan(0)
  expect(service.gate.stateOf('acme')).toBe('active')
  expect(integrityOf(path)).toBe('ok')
  expect(applied?.original).toBe(join(service.ledger, 'quarantine', applied?.change ?? '', 'acme.db'))
  expect(readFileSync(applied?.original ?? '').equals(before)).toBe(true)
  const undone = await remedyOf('repair', '--tenant', 'acme', '--undo', '--config', service.config)
  expect(onlyRemedy(undone).applied).toMatchObject({ change: applied?.change, verdict: 'damaged', healthy: true })
  expect(readFileSync(path).equals(before)).toBe(true)
  expect(service.gate.stateOf('acme')).toBe('active')

  const { stdout } = await holdfast(['history', 'acme', '--config', service.config])
  expect(stdout).toMatch(new RegExp(`CHANGE +rebuilt \\(${applied?.change}\\)`))
  expect(stdout).toMatch(new RegExp(`CHANGE +undone \\(${applied?.change}\\)`))
  const history = JSON.parse((await holdfast(['history', '--json', '--config', service.config])).stdout) as {
    readonly changes: readonly object[]
  }
  expect(history.changes).toMatchObject([
    { tenant: 'acme', path, change: applied?.change, how: 'undone' },
    { tenant: 'acme', path, change: applied?.change, remedy: 'rebuild', how: 'applied' },
  ])
})

describe('--apply says whether a tenant is still what an earlier run has planned on', () => {
  const open = () => openService({ tenants: (data) => ({ acme: makeDamaged(join(data, 'acme.db')) }) })
  const apply = async (args: readonly string[]) => {
    const { stdout, stderr } = await holdfast([...args, '--apply', '--json'])
    return { result: onlyRemedy(JSON.parse(stdout) as RemedyReport), stderr }
  }

  test('it is the same; and a plan that was carried out is none any more', async () => {
    await using service = await open()
    const args = ['repair', '--tenant', 'acme', '--config', service.config]
    const { planned } = onlyRemedy(await remedyOf(...args))
    expect(planned).toMatchObject({ id: expect.stringMatching(/^[0-9A-Z]{26}$/) as string, same: true })
    const same = await apply(args)
    expect(same.stderr).toMatch(/acme: the file is the same as in the plan of \d{4}-/)
    expect(same.result).toMatchObject({ applied: { verdict: 'sound' }, planned: { id: planned?.id, same: true } })
    await remedyOf(...args, '--undo')
    const unplanned = await apply(args)
    expect([unplanned.result.planned, unplanned.stderr.includes('plan of')]).toEqual([undefined, false])
  })

  test('it has changed, and is mended as it is now', async () => {
    await using service = await open()
    const args = ['repair', '--tenant', 'acme', '--config', service.config]
    await remedyOf(...args)
    inDatabase(join(service.data, 'acme.db'), (database) => database.exec("INSERT INTO notes(title) VALUES('since')"))
    const changed = await apply(args)
    expect(changed.stderr).toMatch(/acme: the file has changed since the plan of \d{4}-/)
    expect(changed.result).toMatchObject({ applied: { verdict: 'sound' }, planned: { same: false } })
  })
})

test('a tenant of several files is changed only if each damaged one can be mended', async () => {
  await using service = await openService({
    tenants: (data) => {
      const broken = makeDatabase(join(data, 'broken.db'), { rows: 2_000 })
      zeroTableLeaf(broken)
      return { acme: [makeDamaged(join(data, 'acme.db')), broken] }
    },
  })
  const before = fingerprintOf(service.data)
  const report = await remedyOf('repair', '--tenant', 'acme', '--apply', '--config', service.config)
  expect(report.results.map(({ plan, applied, failure }) => [plan.do, applied, failure?.code ?? null])).toEqual([
    ['rebuild', null, 'REMEDY_REFUSED'],
    ['ask', null, null],
  ])
  expect(report.summary.exitCode).toBe(2)
  expect(Object.keys(fingerprintOf(service.data))).toEqual(Object.keys(before))
  expect(existsSync(join(service.ledger, 'quarantine'))).toBe(false)
})

test('originals of several files have names that differ, whatever the files are called', async () => {
  await using service = await openService({
    tenants: (data) => ({ acme: ['2-app.db', 'app.db', 'change.json'].map((name) => makeDamaged(join(data, name))) }),
  })
  const bytes = (): readonly Buffer[] => readdirSync(service.data).map((name) => readFileSync(join(service.data, name)))
  const before = bytes()
  const { results } = await remedyOf('repair', '--tenant', 'acme', '--apply', '--config', service.config)
  expect(results.map(({ applied }) => applied?.verdict)).toEqual(['sound', 'sound', 'sound'])
  const names = results.map(({ applied }) => basename(applied?.original ?? ''))
  expect(names).toEqual(['1-2-app.db', '2-app.db', '3-change.json'])
  await remedyOf('repair', '--tenant', 'acme', '--undo', '--config', service.config)
  expect(bytes()).toEqual(before)
})

test('files of one name in two folders have an account each', async () => {
  await using service = await openService({
    tenants: (data) => ({
      acme: ['one', 'two'].map((folder) => {
        mkdirSync(join(data, folder))
        const path = makeDatabase(join(data, folder, 'app.db'))
        leaveEntries(path)
        return path
      }),
    }),
  })
  const { results } = await remedyOf('repair', '--tenant', 'acme', '--apply', '--config', service.config)
  const accounts = results.map(({ account }) => account ?? '')
  expect(accounts.map((path) => basename(path).replace(/^\w+-/, ''))).toEqual(['1-app.db.json', '2-app.db.json'])
  for (const path of accounts) expect(existsSync(path)).toBe(true)
})

test('a tenant that is sound is not paused a second time', async () => {
  await using service = await openService()
  const report = await remedyOf('repair', '--tenant', 'acme', '--apply', '--config', service.config)
  expect(onlyRemedy(report)).toMatchObject({ plan: { do: 'nothing' }, applied: null, failure: null })
  expect(report.summary).toMatchObject({ nothing: 1, exitCode: 0 })
  expect(service.actions.filter((action) => action === 'close acme')).toHaveLength(1)
})

/** The service writes a row whenever it opens the tenant again, so each plan is out of date. */
const openWritingService = async (maxPause: string) => {
  let path = ''
  const service = await openService({
    tenants: (data) => ({ acme: (path = makeDamaged(join(data, 'acme.db'))) }),
    onOpen: () => {
      const database = new Database(path)
      database.prepare('INSERT INTO notes(title) VALUES(?)').run('written meanwhile')
      database.close()
    },
    settings: { hold: { maxPause } },
  })
  return { service, path }
}
const countWritten = (path: string): unknown => {
  const database = new Database(path, { readonly: true })
  try {
    return database.prepare("SELECT count(*) FROM notes NOT INDEXED WHERE title = 'written meanwhile'").pluck().get()
  } finally {
    database.close()
  }
}

test('a tenant that is written meanwhile is mended inside of its pause, and keeps what was written', async () => {
  const { service, path } = await openWritingService('10s')
  await using _service = service
  const report = await remedyOf('repair', '--tenant', 'acme', '--apply', '--config', service.config)
  const { applied, failure } = onlyRemedy(report)
  expect(applied, JSON.stringify(failure)).toMatchObject({ verdict: 'sound', healthy: true })
  expect([integrityOf(path), countWritten(path)]).toEqual(['ok', 3]) // After the hold, the change, and the last check.
  expect(service.actions.filter((action) => action === 'close acme')).toHaveLength(3)
  const kept = new Database(applied?.original ?? '', { readonly: true })
  expect(kept.prepare("SELECT count(*) FROM notes NOT INDEXED WHERE title = 'written meanwhile'").pluck().get()).toBe(1)
  kept.close()
})

test('a tenant that is always written, and may not be paused for so long, stays as it is: REMEDY_STALE', async () => {
  // Long enough for a hold, and too short for a check and a repair: that depends on the machine.
  const pauses = ['200ms', '600ms', '100ms', '2s', '50ms', '5s', '200ms', '1s'].values()
  await untilSeen('a pause that is long enough for a hold alone', async () => {
    const { value: maxPause } = pauses.next()
    if (maxPause === undefined) throw new Error('each pause was too long or too short')
    const { service, path } = await openWritingService(maxPause)
    await using _service = service
    const report = await remedyOf('repair', '--tenant', 'acme', '--apply', '--config', service.config)
    const { applied, failure } = onlyRemedy(report)
    if (applied !== null || failure?.code === 'TOO_LARGE_FOR_PAUSE') return false
    expect(failure, JSON.stringify(failure)).toMatchObject({ code: 'REMEDY_STALE', tenantState: 'active' })
    expect(report.summary.exitCode).toBe(3)
    expect(countWritten(path)).toBe(6) // Three attempts, each with a hold and a pause.
    expect(service.gate.stateOf('acme')).toBe('active')
    expect(integrityOf(path)).not.toBe('ok')
    expect(readdirSync(join(service.ledger, 'quarantine'))).toEqual([])
    return true
  })
})

test('a tenant that is unwell after the change gets its original back in a second pause', async () => {
  let opened = 0
  await using service = await openService({
    tenants: (data) => ({ acme: makeDamaged(join(data, 'acme.db')) }),
    onOpen: () => opened++,
    // Unhealthy only when it is opened after the change: the hold opens it once, the change a second time.
    healthy: () => opened !== 2,
  })
  const path = join(service.data, 'acme.db')
  const before = readFileSync(path)
  const report = await remedyOf('repair', '--tenant', 'acme', '--apply', '--config', service.config)
  expect(onlyRemedy(report)).toMatchObject({
    applied: null,
    failure: { code: 'REMEDY_REFUSED', tenantState: 'active' },
  })
  expect(onlyRemedy(report).failure?.message).toContain('was taken back in a second pause')
  expect(report.summary.exitCode).toBe(2)
  expect(readFileSync(path).equals(before)).toBe(true)
})

test('an undo after which a tenant is unwell, that was healthy, does not end with 0', async () => {
  let isUndoing = false
  let opened = 0
  await using service = await openService({
    tenants: (data) => ({ acme: makeDamaged(join(data, 'acme.db')) }),
    onOpen: () => (opened += isUndoing ? 1 : 0),
    // It serves after the pause of the undo, and is unhealthy since it was opened after the last look at the file.
    healthy: () => opened < 2,
  })
  const path = join(service.data, 'acme.db')
  const before = readFileSync(path)
  await remedyOf('repair', '--tenant', 'acme', '--apply', '--config', service.config)
  isUndoing = true
  const report = await remedyOf('repair', '--tenant', 'acme', '--undo', '--config', service.config)
  expect(onlyRemedy(report)).toMatchObject({ applied: { healthy: false }, failure: { tenantState: 'maybe-paused' } })
  expect(report.summary.exitCode).toBe(4)
  expect(readFileSync(path).equals(before)).toBe(true)
})
