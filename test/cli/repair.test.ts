/** `repair`: a plan that changes nothing, a change that is checked, and an undo that brings the very bytes back. */
import { copyFileSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import type { RemedyReport, RemedyResult } from '../../src/model/result/remedy.ts'
import { damageIndex, fingerprintOf, makeDatabase, makeFolder } from '../support/cli/folder.ts'
import { holdfast, type Ran } from '../support/cli/program.ts'
import { openService } from '../support/cli/service.ts'

function documentIn({ stdout, code, stderr }: Ran): RemedyReport {
  expect(stdout, stderr).toMatch(/^\{[^]*\}\n$/)
  const document = JSON.parse(stdout) as RemedyReport
  expect(document.summary.exitCode).toBe(code)
  return document
}

const documentOf = async (...args: readonly string[]): Promise<RemedyReport> =>
  documentIn(await holdfast([...args, '--json']))

function single({ results }: RemedyReport): RemedyResult {
  const [result, ...others] = results
  if (result === undefined || others.length > 0) throw new Error(`${results.length} results`)
  return result
}

const integrityOf = (path: string): unknown => {
  const database = new Database(path, { readonly: true })
  try {
    return database.pragma('integrity_check', { simple: true })
  } finally {
    database.close()
  }
}

function damagedFile(path: string): string {
  makeDatabase(path)
  damageIndex(path)
  return path
}

describe('a bare file', () => {
  test('a plan is tried on a copy, and not a byte is changed', async () => {
    using folder = makeFolder()
    const path = damagedFile(folder.in('app.db'))
    const before = fingerprintOf(folder.path)
    const report = await documentOf('repair', path)
    expect(report).toMatchObject({
      schema: 'holdfast.remedy/1',
      run: { mode: 'repair', registry: 'none' },
      summary: { selected: 1, ready: 1, applied: 0, exitCode: 0 },
    })
    expect(single(report)).toMatchObject({
      tenant: null,
      path,
      before: { verdict: 'damaged', damage: 'index', findingsTotal: 1 },
      plan: {
        do: 'rebuild',
        objects: ['notes_title'],
        method: 'swap',
        predictedPauseMs: null,
        losses: [],
        undo: `holdfast repair ${path} --undo`,
        command: `holdfast repair ${path} --apply`,
      },
      rehearsal: { verdict: 'sound', contentSame: true },
      applied: null,
      account: null,
      failure: null,
    })
    expect(single(report).plan.needsBytes).toBeGreaterThanOrEqual(2 * statSync(path).size)
    expect(fingerprintOf(folder.path)).toEqual(before)
  })

  test('what is applied is sound, and the undo brings the very bytes back', async () => {
    using folder = makeFolder()
    const path = damagedFile(folder.in('app.db'))
    const original = readFileSync(path)
    const report = await documentOf('repair', path, '--apply')
    const { applied, plan } = single(report)
    expect(report.summary).toMatchObject({ applied: 1, exitCode: 0 })
    expect(applied).toMatchObject({ method: 'swap', pauseMs: null, verdict: 'sound', healthy: null })
    expect(applied?.original).toBe(`${path}.original-${applied?.change}`)
    expect(plan.undo).toBe(`holdfast repair ${path} --undo ${applied?.change}`)
    expect(integrityOf(path)).toBe('ok')
    expect(readFileSync(applied?.original ?? '').equals(original)).toBe(true)

    const undone = await documentOf(...(plan.undo ?? '').split(' ').slice(1))
    expect(undone.summary).toMatchObject({ applied: 1, exitCode: 0 })
    expect(single(undone)).toMatchObject({
      plan: { do: 'undo' },
      applied: { change: applied?.change, verdict: 'damaged' },
    })
    expect(readFileSync(path).equals(original)).toBe(true)
  })

  test('the newest change is undone if none is named, and only once', async () => {
    using folder = makeFolder()
    const path = damagedFile(folder.in('app.db'))
    const original = readFileSync(path)
    await documentOf('repair', path, '--apply')
    expect(single(await documentOf('repair', path, '--undo')).applied?.verdict).toBe('damaged')
    expect(readFileSync(path).equals(original)).toBe(true)
    const again = await holdfast(['repair', path, '--undo'])
    expect([again.code, again.stderr]).toEqual([64, expect.stringContaining(`no change of ${path} stands`)])
    expect(readFileSync(path).equals(original)).toBe(true)
  })

  test('--quarantine keeps the original, and nothing lies beside the file', async () => {
    using folder = makeFolder()
    using other = makeFolder()
    const path = damagedFile(folder.in('app.db'))
    const quarantine = other.in('quarantine')
    const { applied, plan } = single(await documentOf('repair', path, '--apply', '--quarantine', quarantine))
    expect(applied?.original).toBe(join(quarantine, applied?.change ?? '', 'app.db'))
    expect(readdirSync(folder.path)).toEqual(['app.db'])
    expect(plan.undo).toBe(`holdfast repair ${path} --quarantine ${quarantine} --undo ${applied?.change}`)
    expect((await holdfast((plan.undo ?? '').split(' ').slice(1))).code).toBe(0)
  })

  test('a WAL is part of the original, and of what is mended', async () => {
    using folder = makeFolder()
    const path = makeDatabase(folder.in('source.db'), { wal: true })
    damageIndex(path)
    const writer = new Database(path)
    writer.pragma('wal_autocheckpoint=0')
    writer.exec("INSERT INTO notes(title) VALUES('in the WAL')")
    const live = folder.in('app.db')
    for (const part of ['', '-wal']) copyFileSync(path + part, live + part)
    writer.close()
    const [main, wal] = [readFileSync(live), readFileSync(`${live}-wal`)]
    expect(wal.length).toBeGreaterThan(0)
    const { applied } = single(await documentOf('repair', live, '--apply'))
    expect(applied?.verdict).toBe('sound')
    const database = new Database(live, { readonly: true })
    expect(database.prepare('SELECT count(*) FROM notes').pluck().get()).toBe(51)
    database.close()
    const original = applied?.original ?? ''
    expect([readFileSync(original).equals(main), readFileSync(`${original}-wal`).equals(wal)]).toEqual([true, true])
    await documentOf('repair', live, '--undo')
    expect([readFileSync(live).equals(main), readFileSync(`${live}-wal`).equals(wal)]).toEqual([true, true])
  })

  test('of several files each has its own result', async () => {
    using folder = makeFolder()
    const [sound, damaged] = [makeDatabase(folder.in('sound.db')), damagedFile(folder.in('damaged.db'))]
    const report = await documentOf('repair', sound, damaged, '--apply')
    expect(report.results.map(({ path, plan, applied }) => [path, plan.do, applied?.verdict ?? null])).toEqual([
      [sound, 'nothing', null],
      [damaged, 'rebuild', 'sound'],
    ])
    expect(report.summary).toMatchObject({ selected: 2, nothing: 1, applied: 1, exitCode: 0 })
  })

  test('damage that only a person can settle ends with 2, and with a command that saves what is readable', async () => {
    using folder = makeFolder()
    const path = makeDatabase(folder.in('app.db'), { rows: 2_000 })
    zeroTable(path)
    const before = fingerprintOf(folder.path)
    const report = await documentOf('repair', path, '--apply')
    expect(report.summary).toMatchObject({ ask: 1, applied: 0, exitCode: 2 })
    expect(single(report)).toMatchObject({ plan: { do: 'ask' }, rehearsal: null, applied: null, failure: null })
    expect(single(report).plan.command).toMatch(/^holdfast salvage /)
    expect(fingerprintOf(folder.path)).toEqual(before)
  })

  test('the text is the report of a plan, and --quiet prints nothing if all is well', async () => {
    using folder = makeFolder()
    const path = damagedFile(folder.in('app.db'))
    const text = (await holdfast(['repair', path])).stdout
    expect(text).toContain(`READY  ${path}\n  wrong   DAMAGED (index)\n`)
    expect(text).toContain(`  next\n    holdfast repair ${path} --apply\n`)
    expect((await holdfast(['repair', path, '--quiet'])).stdout).toBe('')
  })
})

/** Overwrites a leaf of the table, so that its rows are gone. */
function zeroTable(path: string): void {
  const database = new Database(path)
  const page = database
    .prepare("SELECT pageno FROM dbstat WHERE name = 'notes' AND pagetype = 'leaf' ORDER BY pageno LIMIT 1 OFFSET 2")
    .pluck()
    .get() as number
  database.close()
  const bytes = readFileSync(path)
  bytes.fill(0, (page - 1) * 4096, page * 4096)
  writeFileSync(path, bytes)
}

describe('a tenant', () => {
  test('is mended in a pause, serves again, and its undo brings the bytes back', async () => {
    await using service = await openService({
      tenants: (data) => ({ acme: damagedFile(join(data, 'acme.db')), bolt: join(data, 'bolt.db') }),
    })
    const path = join(service.data, 'acme.db')
    const plan = await documentOf('repair', '--tenant', 'acme', '--config', service.config)
    expect(plan.run.registry).toBe('live')
    expect(single(plan)).toMatchObject({
      tenant: 'acme',
      plan: {
        do: 'rebuild',
        undo: 'holdfast repair --tenant acme --undo',
        command: 'holdfast repair --tenant acme --apply',
      },
      applied: null,
    })
    expect(single(plan).plan.predictedPauseMs).toBeGreaterThan(0)
    const before = readFileSync(path)
    const report = await documentOf('repair', '--tenant', 'acme', '--apply', '--config', service.config)
    const { applied } = single(report)
    expect(applied, JSON.stringify(single(report).failure)).toMatchObject({
      method: 'swap',
      verdict: 'sound',
      healthy: true,
    })
    expect(applied?.pauseMs).toBeGreaterThan(0)
    expect(service.gate.stateOf('acme')).toBe('active')
    expect(integrityOf(path)).toBe('ok')
    expect(applied?.original).toBe(join(service.ledger, 'quarantine', applied?.change ?? '', 'acme.db'))
    expect(readFileSync(applied?.original ?? '').equals(before)).toBe(true)
    const undone = await documentOf('repair', '--tenant', 'acme', '--undo', '--config', service.config)
    expect(single(undone).applied).toMatchObject({ change: applied?.change, verdict: 'damaged', healthy: true })
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

  test('of several files is changed only if each damaged one can be mended', async () => {
    await using service = await openService({
      tenants: (data) => {
        const broken = makeDatabase(join(data, 'broken.db'), { rows: 2_000 })
        zeroTable(broken)
        return { acme: [damagedFile(join(data, 'acme.db')), broken] }
      },
    })
    const before = fingerprintOf(service.data)
    const report = await documentOf('repair', '--tenant', 'acme', '--apply', '--config', service.config)
    expect(report.results.map(({ plan, applied, failure }) => [plan.do, applied, failure?.code ?? null])).toEqual([
      ['rebuild', null, 'REMEDY_REFUSED'],
      ['ask', null, null],
    ])
    expect(report.summary.exitCode).toBe(2)
    expect(Object.keys(fingerprintOf(service.data))).toEqual(Object.keys(before))
    expect(existsSync(join(service.ledger, 'quarantine'))).toBe(false)
  })

  test('that is sound is not paused a second time', async () => {
    await using service = await openService()
    const report = await documentOf('repair', '--tenant', 'acme', '--apply', '--config', service.config)
    expect(single(report)).toMatchObject({ plan: { do: 'nothing' }, applied: null, failure: null })
    expect(report.summary).toMatchObject({ nothing: 1, exitCode: 0 })
    expect(service.deeds.filter((deed) => deed === 'close acme')).toHaveLength(1)
  })

  /** The service writes a row whenever it opens the tenant again, so each plan is out of date. */
  const writing = async (maxPause: string) => {
    let path = ''
    const service = await openService({
      tenants: (data) => ({ acme: (path = damagedFile(join(data, 'acme.db'))) }),
      onOpen: () => {
        const database = new Database(path)
        database.prepare('INSERT INTO notes(title) VALUES(?)').run('written meanwhile')
        database.close()
      },
      settings: { hold: { maxPause } },
    })
    return { service, path }
  }
  const writtenIn = (path: string): unknown => {
    const database = new Database(path, { readonly: true })
    try {
      return database.prepare("SELECT count(*) FROM notes NOT INDEXED WHERE title = 'written meanwhile'").pluck().get()
    } finally {
      database.close()
    }
  }

  test('that is written meanwhile is mended inside of its pause, and keeps what was written', async () => {
    const { service, path } = await writing('10s')
    await using _service = service
    const report = await documentOf('repair', '--tenant', 'acme', '--apply', '--config', service.config)
    const { applied, failure } = single(report)
    expect(applied, JSON.stringify(failure)).toMatchObject({ verdict: 'sound', healthy: true })
    expect([integrityOf(path), writtenIn(path)]).toEqual(['ok', 3]) // After the hold, the change, and the last check.
    expect(service.deeds.filter((deed) => deed === 'close acme')).toHaveLength(3)
    const kept = new Database(applied?.original ?? '', { readonly: true })
    expect(kept.prepare("SELECT count(*) FROM notes NOT INDEXED WHERE title = 'written meanwhile'").pluck().get()).toBe(
      1,
    )
    kept.close()
  })

  test('that is always written, and may not be paused for so long, stays as it is: REMEDY_STALE', async () => {
    const { service, path } = await writing('200ms')
    await using _service = service
    const report = await documentOf('repair', '--tenant', 'acme', '--apply', '--config', service.config)
    expect(single(report), JSON.stringify(single(report).failure)).toMatchObject({
      applied: null,
      failure: { code: 'REMEDY_STALE', tenantState: 'active' },
    })
    expect(report.summary.exitCode).toBe(3)
    expect(writtenIn(path)).toBe(6) // Three attempts, each with a hold and a pause.
    expect(service.gate.stateOf('acme')).toBe('active')
    expect(integrityOf(path)).not.toBe('ok')
    expect(readdirSync(join(service.ledger, 'quarantine'))).toEqual([])
  })

  test('that is unwell after the change gets its original back in a second pause', async () => {
    let opened = 0
    await using service = await openService({
      tenants: (data) => ({ acme: damagedFile(join(data, 'acme.db')) }),
      onOpen: () => opened++,
      // Healthy until it is opened after the change: the hold opens it once, the change a second time.
      healthy: () => opened !== 2 && opened !== 3,
    })
    const path = join(service.data, 'acme.db')
    const before = readFileSync(path)
    const report = await documentOf('repair', '--tenant', 'acme', '--apply', '--config', service.config)
    expect(single(report)).toMatchObject({ applied: null, failure: { code: 'REMEDY_REFUSED', tenantState: 'active' } })
    expect(single(report).failure?.message).toContain('was taken back in a second pause')
    expect(report.summary.exitCode).toBe(2)
    expect(readFileSync(path).equals(before)).toBe(true)
  })
})

test.each([
  [['repair'], 'name the file, or the tenant'],
  [['repair', '--undo', 'app.db'], 'the word behind --undo is taken for a change'],
  [['repair', 'app.db', '--undo', 'x'], 'is no id of a change'],
  [['repair', 'app.db', '--undo', '--apply'], '--undo is a deed of its own'],
  [['repair', 'app.db', '--tenant', 'acme'], '--tenant goes without files'],
  [['repair', '--tenant', 'acme', '--quarantine', '/tmp/q'], 'go with files'],
])('%j is a wrong command line', async (args, said) => {
  const ran = await holdfast(args)
  expect([ran.code, ran.stderr]).toEqual([64, expect.stringContaining(said)])
})
