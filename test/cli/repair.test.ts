/** `repair` of bare files: a plan changes nothing, a change is checked, and an undo brings the very bytes back. */
import { copyFileSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import type { RemedyReport } from '../../src/model/result/remedy.ts'
import { fingerprintOf, makeDatabase, makeFolder, damageIndex } from '../support/cli/folder.ts'
import { resultOf, holdfast, start } from '../support/cli/program.ts'
import { integrityOf, makeDamaged, onlyRemedy, remedyOf, zeroTableLeaf } from '../support/cli/remedies.ts'
import { untilSeen } from '../support/coincidence.ts'

describe('a bare file', () => {
  test('a plan is tried on a copy, and not a byte is changed', async () => {
    using folder = makeFolder()
    const path = makeDamaged(folder.in('app.db'))
    const before = fingerprintOf(folder.path)
    const report = await remedyOf('repair', path)
    expect(report).toMatchObject({
      schema: 'holdfast.remedy/1',
      run: { mode: 'repair', registry: 'none' },
      summary: { selected: 1, ready: 1, applied: 0, exitCode: 0 },
    })
    expect(onlyRemedy(report)).toMatchObject({
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
    expect(onlyRemedy(report).plan.needsBytes).toBeGreaterThanOrEqual(2 * statSync(path).size)
    expect(fingerprintOf(folder.path)).toEqual(before)
  })

  test('what is applied is sound, and the undo brings the very bytes back', async () => {
    using folder = makeFolder()
    const path = makeDamaged(folder.in('app.db'))
    const original = readFileSync(path)
    const report = await remedyOf('repair', path, '--apply')
    const { applied, plan } = onlyRemedy(report)
    expect(report.summary).toMatchObject({ applied: 1, exitCode: 0 })
    expect(applied).toMatchObject({ method: 'swap', pauseMs: null, verdict: 'sound', healthy: null })
    expect(applied?.original).toBe(`${path}.original-${applied?.change}`)
    expect(plan.undo).toBe(`holdfast repair ${path} --undo ${applied?.change}`)
    expect(integrityOf(path)).toBe('ok')
    expect(readFileSync(applied?.original ?? '').equals(original)).toBe(true)

    const undone = await remedyOf(...(plan.undo ?? '').split(' ').slice(1))
    expect(undone.summary).toMatchObject({ applied: 1, exitCode: 0 })
    expect(onlyRemedy(undone)).toMatchObject({
      plan: { do: 'undo' },
      applied: { change: applied?.change, verdict: 'damaged' },
    })
    expect(readFileSync(path).equals(original)).toBe(true)
  })

  test('the newest change is undone if none is named, and only once', async () => {
    using folder = makeFolder()
    const path = makeDamaged(folder.in('app.db'))
    const original = readFileSync(path)
    await remedyOf('repair', path, '--apply')
    expect(onlyRemedy(await remedyOf('repair', path, '--undo')).applied?.verdict).toBe('damaged')
    expect(readFileSync(path).equals(original)).toBe(true)
    const again = await holdfast(['repair', path, '--undo'])
    expect([again.code, again.stderr]).toEqual([64, expect.stringContaining(`no change of ${path} is left to undo`)])
    expect(readFileSync(path).equals(original)).toBe(true)
  })

  test('a run that is ended after the change reports the change', async () => {
    // The signal must come between the change and the end of the check that follows it. It may come too late.
    await untilSeen('a signal that comes after the change and before the end', async () => {
      using folder = makeFolder()
      const path = makeDamaged(folder.in('app.db'))
      const { ino } = statSync(path)
      const program = start(['repair', path, '--apply', '--json'])
      const ended = resultOf(program)
      while (statSync(path).ino === ino && program.exitCode === null) await sleep(1)
      program.kill('SIGTERM')
      const { code, stdout } = await ended
      expect(integrityOf(path)).toBe('ok')
      const { applied, plan } = onlyRemedy(JSON.parse(stdout) as RemedyReport)
      expect(plan.undo).toBe(`holdfast repair ${path} --undo ${applied?.change}`)
      return code === 143 && applied?.verdict !== 'sound'
    })
  })

  test('--quarantine keeps the original, and nothing lies beside the file', async () => {
    using folder = makeFolder()
    using other = makeFolder()
    const path = makeDamaged(folder.in('app.db'))
    const quarantine = other.in('quarantine')
    const { applied, plan } = onlyRemedy(await remedyOf('repair', path, '--apply', '--quarantine', quarantine))
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
    const { applied } = onlyRemedy(await remedyOf('repair', live, '--apply'))
    expect(applied?.verdict).toBe('sound')
    const database = new Database(live, { readonly: true })
    expect(database.prepare('SELECT count(*) FROM notes').pluck().get()).toBe(51)
    database.close()
    const original = applied?.original ?? ''
    expect([readFileSync(original).equals(main), readFileSync(`${original}-wal`).equals(wal)]).toEqual([true, true])
    await remedyOf('repair', live, '--undo')
    expect([readFileSync(live).equals(main), readFileSync(`${live}-wal`).equals(wal)]).toEqual([true, true])
  })

  test('of several files each has its own result', async () => {
    using folder = makeFolder()
    const [sound, damaged] = [makeDatabase(folder.in('sound.db')), makeDamaged(folder.in('damaged.db'))]
    const report = await remedyOf('repair', sound, damaged, '--apply')
    expect(report.results.map(({ path, plan, applied }) => [path, plan.do, applied?.verdict ?? null])).toEqual([
      [sound, 'nothing', null],
      [damaged, 'rebuild', 'sound'],
    ])
    expect(report.summary).toMatchObject({ selected: 2, nothing: 1, applied: 1, exitCode: 0 })
  })

  test('damage that only a person can settle ends with 2, and with a command that saves what is readable', async () => {
    using folder = makeFolder()
    const path = makeDatabase(folder.in('app.db'), { rows: 2_000 })
    zeroTableLeaf(path)
    const before = fingerprintOf(folder.path)
    const report = await remedyOf('repair', path, '--apply')
    expect(report.summary).toMatchObject({ ask: 1, applied: 0, exitCode: 2 })
    expect(onlyRemedy(report)).toMatchObject({ plan: { do: 'ask' }, rehearsal: null, applied: null, failure: null })
    expect(onlyRemedy(report).plan.command).toMatch(/^holdfast salvage /)
    expect(fingerprintOf(folder.path)).toEqual(before)
  })

  test('the text is the report of a plan, and --quiet prints nothing if all is well', async () => {
    using folder = makeFolder()
    const path = makeDamaged(folder.in('app.db'))
    const text = (await holdfast(['repair', path])).stdout
    expect(text).toContain(`READY  ${path}\n  wrong   DAMAGED (index)\n`)
    expect(text).toContain(`  next\n    holdfast repair ${path} --apply\n`)
    expect((await holdfast(['repair', path, '--quiet'])).stdout).toBe('')
  })
})

test.each([
  [['repair'], 'name the file, or the tenant'],
  [['repair', '--undo', 'app.db'], 'the word after --undo is read as the id of a change'],
  [['repair', 'app.db', '--undo', 'x'], 'is no id of a change'],
  [['repair', 'app.db', '--undo', '--apply'], '--undo needs no --apply'],
  [['repair', 'app.db', '--tenant', 'acme'], '--tenant cannot be used with files'],
  [['repair', '--tenant', 'acme', '--quarantine', '/tmp/q'], 'are for files'],
])('%j is a wrong command line', async (args, said) => {
  const ran = await holdfast(args)
  expect([ran.code, ran.stderr]).toEqual([64, expect.stringContaining(said)])
})
