/** I1.6: `triage` as a person runs it, against a service that works, one that is down, and files alone. */
import { chownSync, copyFileSync, mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import type { Report, Result } from '../../../src/model/result/report.ts'
import { damageIndex, fingerprintOf, makeDatabase, makeFolder } from '../../support/cli/folder.ts'
import { holdfast, otherUser, reportIn, reportOf, whyNoOtherUser } from '../../support/cli/program.ts'
import { openServiceOf } from '../../support/cli/service.ts'

/** A file whose index has lost entries; its structure is whole, so only counts or rows show it. */
function damagedAt(path: string): string {
  damageIndex(makeDatabase(path, { wal: true }))
  return path
}

const sound = (path: string): string => makeDatabase(path, { wal: true })

const resultOf = ({ results }: Report, id: string): Result => {
  const [found, ...more] = results.filter(({ tenant }) => tenant === id)
  if (found === undefined || more.length > 0) throw new Error(`not one result of ${id}`)
  return found
}

describe('I1.6: a triage of a service', () => {
  test('finds nothing in sound tenants, checks each of them fast and then deep, and begins an incident', async () => {
    await using service = await openServiceOf({ acme: sound, bolt: sound })
    const report = await reportOf(['triage', '--config', service.config])
    expect(report.summary).toMatchObject({ selected: 2, sound: 2, exitCode: 0 })
    expect(report.run).toMatchObject({ mode: 'triage', registry: 'live', incident: report.run.id })
    expect(report.results.map(({ depth }) => depth)).toEqual(['full', 'full'])
    // Never checked by anybody: that is a reason, and the only one.
    expect(report.results.map(({ suspicion }) => suspicion?.map(({ reason }) => reason))).toEqual([
      ['never-checked'],
      ['never-checked'],
    ])
    const ledger = await holdfast(['history', '--json', '--config', service.config])
    const { entries, incident } = JSON.parse(ledger.stdout) as {
      readonly entries: readonly { readonly depth: string; readonly incident: string }[]
      readonly incident: { readonly id: string }
    }
    expect(entries.map(({ depth }) => depth)).toEqual(['full', 'full', 'quick', 'quick'])
    expect(new Set([incident.id, ...entries.map((entry) => entry.incident)])).toEqual(new Set([report.run.id]))
  })

  test('prints the culprit as soon as it is found, why it was suspected, and the command that mends it', async () => {
    await using service = await openServiceOf({ acme: sound, bolt: damagedAt, core: sound })
    const { code, stdout } = await holdfast(['triage', '--config', service.config])
    expect(code).toBe(2)
    const [culprit = '', ...rest] = stdout.split(/^TENANT /m)
    expect(culprit).toMatch(
      /^CULPRIT: bolt, number \d of 3 in the order of suspicion\n {2}suspect it was never checked\n/,
    )
    expect(culprit).toMatch(new RegExp(`holdfast repair --config ${service.config} --tenant bolt`))
    expect(rest.join()).toMatch(/3 tenants: 2 sound, 1 damaged/)
  })

  test('--first stops at the culprit, whose deep check names the rehearsed remedy', async () => {
    await using service = await openServiceOf(
      Object.fromEntries(Array.from({ length: 9 }, (_, at) => [`t${at}`, at === 3 ? damagedAt : sound])),
      { healthy: (id) => id !== 't3' },
    )
    const report = await reportOf(['triage', '--first', '--config', service.config])
    expect(report.summary).toMatchObject({ damaged: 1, exitCode: 2 })
    expect(report.summary.notCovered).toBeGreaterThan(0)
    expect(resultOf(report, 't3')).toMatchObject({
      verdict: 'damaged',
      depth: 'full',
      suspicion: [
        {
          reason: 'named-by-service',
          text: 'the service reports an error: the service reports that the tenant is unhealthy',
        },
        { reason: 'never-checked' },
      ],
      remedy: { rehearsed: true, command: 'holdfast repair --tenant t3 --apply' },
    })
  })

  test('--depth quick is the fast pass alone, --only takes some; --json: the culprit is on stderr', async () => {
    await using service = await openServiceOf({ acme: sound, bolt: damagedAt, core: sound })
    const ran = await holdfast(['triage', '--json', '--depth', 'quick', '--only', '[ab]*', '--config', service.config])
    const report = reportIn(ran)
    expect(report.results).toHaveLength(2)
    expect(resultOf(report, 'acme')).toMatchObject({ verdict: 'sound', depth: 'quick' })
    expect(resultOf(report, 'bolt')).toMatchObject({ verdict: 'damaged', depth: 'quick' })
    expect(ran.stderr).toMatch(/CULPRIT bolt: damaged \(index\), number \d of 2 .* next: `holdfast repair/)
    expect((await holdfast(['triage', '--only', 'zzz', '--config', service.config])).code).toBe(64)
  })

  test('I1.9: the status tenant is checked deep before any other tenant is paused, and is named first', async () => {
    await using service = await openServiceOf(
      { acme: damagedAt, bolt: sound, watch: damagedAt },
      { settings: { tenants: { statusTenant: 'watch' } }, healthy: (id) => id !== 'acme' },
    )
    const { stdout } = await holdfast(['triage', '--config', service.config])
    const culprits = [...stdout.matchAll(/^CULPRIT: (\w+), number (\d)/gm)].map(([, id, place]) => `${id} ${place}`)
    expect(culprits[0]).toBe('watch 1')
    expect(culprits).toContain('acme 2')
    expect(service.actions.slice(0, 2)).toEqual(['close watch', 'open watch'])
  })

  test('changes no byte of any tenant', async () => {
    await using service = await openServiceOf({ acme: sound, bolt: damagedAt })
    const before = fingerprintOf(service.data)
    expect((await holdfast(['triage', '--config', service.config])).code).toBe(2)
    const main = (prints: Record<string, string>): unknown =>
      Object.entries(prints).filter(([name]) => name.endsWith('.db'))
    expect(main(fingerprintOf(service.data))).toEqual(main(before))
  })
})

describe('I1.6: the service is down', () => {
  test('its files are held without it under a seal, by the last list of tenants; a file in use is not', async () => {
    const service = await openServiceOf({ acme: sound, bolt: damagedAt, core: sound })
    await using _service = service
    expect((await holdfast(['sweep', '--config', service.config])).code).toBe(2)
    await service.gate[Symbol.asyncDispose]()
    service.vanish()
    service.close()
    // Another program has one of the files open.
    using user = openUser(join(service.data, 'core.db'))
    const report = await reportOf(['triage', '--config', service.config])
    expect(report.run.registry).toMatch(/^cached since /)
    expect(resultOf(report, 'acme')).toMatchObject({
      verdict: 'sound',
      depth: 'full',
      evidence: { level: 'sealed', quiesce: null },
    })
    expect(resultOf(report, 'bolt')).toMatchObject({ verdict: 'damaged', evidence: { level: 'sealed', quiesce: null } })
    expect(resultOf(report, 'bolt').suspicion?.[0]).toMatchObject({ reason: 'known-damage' })
    expect(resultOf(report, 'core').verdict).not.toMatch(/sound|damaged/)
    user.use()
  })
})

function openUser(path: string): Disposable & { readonly use: () => void } {
  const database = new Database(path)
  const use = (): void => void database.prepare('select count(*) from notes').get()
  use()
  return { use, [Symbol.dispose]: () => database.close() }
}

describe('I1.6: files alone', () => {
  test('a journal that a crash has left is the strongest reason', async () => {
    using folder = makeFolder()
    for (const name of ['a.db', 'b.db', 'c.db']) makeDatabase(folder.in(name))
    damageIndex(folder.in('b.db'))
    copyFileSync(folder.in('c.db'), folder.in('b.db-journal')) // Bytes that are no journal: SQLite ignores them.
    const report = await reportOf(['triage', '--first', folder.path])
    expect(report.run).toMatchObject({ mode: 'triage', registry: 'none', incident: null })
    const [culprit] = report.results.filter(({ verdict }) => verdict === 'damaged')
    expect(culprit).toMatchObject({ tenant: null, path: folder.in('b.db'), depth: 'full' })
    expect(culprit?.suspicion?.[0]).toMatchObject({ reason: 'left-by-crash' })
  })

  test('a file whose time lies ahead, because a clock was wrong, hides no file that was written last', async () => {
    using folder = makeFolder()
    for (const name of ['a.db', 'b.db', 'c.db']) makeDatabase(folder.in(name))
    const ahead = Date.now() / 1000 + 366 * 86_400
    utimesSync(folder.in('a.db'), ahead, ahead)
    damageIndex(folder.in('b.db'))
    const report = await reportOf(['triage', folder.path])
    const reasons = new Map(
      report.results.map(({ path, suspicion = [] }) => [path, suspicion.map((one) => one.reason)]),
    )
    expect(['a.db', 'b.db', 'c.db'].map((name) => reasons.get(folder.in(name)))).toEqual([
      [],
      ['written-before-crash'],
      ['written-before-crash'],
    ])
  })

  test('what is no database, or is not there, is no culprit', async () => {
    using folder = makeFolder()
    makeDatabase(folder.in('a.db'))
    writeFileSync(folder.in('b.db'), 'a text')
    const report = await reportOf(['triage', folder.in('a.db'), folder.in('b.db')])
    expect(report.results.map(({ verdict }) => verdict).toSorted()).toEqual(['inconclusive', 'sound'])
    expect(readFileSync(folder.in('b.db'), 'utf8')).toBe('a text')
    expect((await holdfast(['triage', folder.in('nowhere.db')])).code).toBe(1)
  })

  test('--html writes a page with the culprit, its reasons and its map, and names no service', async () => {
    using folder = makeFolder()
    mkdirSync(folder.in('data'))
    for (const name of ['data/a.db', 'data/b.db']) makeDatabase(folder.in(name))
    damageIndex(folder.in('data/b.db'))
    const page = folder.in('page.html')
    const { code, stdout, stderr } = await holdfast(['triage', folder.in('data'), '--html', page])
    expect([code, stdout]).toEqual([2, expect.stringContaining('2 files: 1 sound, 1 damaged') as string])
    const written = readFileSync(page, 'utf8')
    expect(written, stderr).toMatch(/^<!doctype html>[^]*1 of 2 files is damaged[^]*<\/html>\n$/)
    expect(written).toMatch(/Files without a service, triage of 20[^]*What to do now/)
    expect(written).toContain(`<code>holdfast repair ${folder.in('data/b.db')} --apply</code>`)
    expect(written).toContain('What owns the pages')
    expect(written).not.toContain('holdfast report')
    expect(statSync(page).mode & 0o777).toBe(0o600)
    // Once more: an earlier page is replaced.
    rmSync(folder.in('data/b.db'))
    expect((await holdfast(['triage', folder.in('data'), '--html', page])).code).toBe(0)
    expect(readFileSync(page, 'utf8')).toContain('1 file is sound')
  })

  test.skipIf(otherUser === null || whyNoOtherUser() !== null)(
    'a folder that could not be searched is named on the page, whose files may all be sound',
    async () => {
      using folder = makeFolder()
      const { uid, gid } = otherUser ?? { uid: 0, gid: 0 }
      mkdirSync(folder.in('data'))
      mkdirSync(folder.in('data/locked'), { mode: 0 })
      for (const own of [folder.path, folder.in('data'), makeDatabase(folder.in('data/a.db'))]) chownSync(own, uid, gid)
      const page = folder.in('page.html')
      const words = ['triage', '--recursive', folder.in('data'), '--html', page]
      await holdfast(words, { as: { uid, gid }, env: { TMPDIR: folder.path }, cwd: '/' })
      expect(readFileSync(page, 'utf8')).toMatch(/1 file is sound[^]*Notices of the run[^]*not examined: \S+locked: /)
    },
  )

  test('--html replaces no file that may be a database, also if its header is broken', async () => {
    using folder = makeFolder()
    const [broken, empty, other] = [folder.in('a.db'), folder.in('empty'), makeDatabase(folder.in('b.db'))]
    writeFileSync(broken, readFileSync(makeDatabase(broken)).fill(0, 0, 100))
    writeFileSync(empty, '')
    const before = fingerprintOf(folder.path)
    for (const file of [broken, empty]) {
      // As `triage --html *.db`, where the shell puts the names.
      const { code, stdout, stderr } = await holdfast(['triage', '--html', file, other])
      expect([code, stdout]).toEqual([1, ''])
      expect(stderr).toContain(`${file} is no page of HTML, and is not replaced`)
    }
    expect(fingerprintOf(folder.path)).toEqual(before)
  })

  test.each([
    ['--only', 'a'],
    ['--detach'],
    ['--from-monit'],
    ['--service', 'x'],
    ['--incident', 'x'],
    ['--wait', '1s'],
  ])('%s has no meaning with files', async (...words) => {
    using folder = makeFolder()
    expect((await holdfast(['triage', makeDatabase(folder.in('a.db')), ...words])).code).toBe(64)
  })
})

describe('I1.6: damage that is known, and that the fast pass does not see', () => {
  /** Its index has as many entries as the table has rows, of another column. */
  const otherColumn = (path: string): string => {
    const database = new Database(makeDatabase(path, { wal: true }))
    database.unsafeMode(true)
    database.pragma('writable_schema=ON')
    database.exec("UPDATE sqlite_schema SET sql = replace(sql, '(title)', '(body)') WHERE name = 'notes_title'")
    database.close()
    return path
  }

  test('is not cleared by it: sound so far, inconclusive, 3; the deep pass settles it', async () => {
    await using service = await openServiceOf({ acme: otherColumn, bolt: sound })
    const quick = ['triage', '--depth', 'quick', '--config', service.config]
    const before = await reportOf(quick)
    expect([before.summary.exitCode, resultOf(before, 'acme').verdict]).toEqual([0, 'sound'])
    expect((await reportOf(['check', '--tenant', 'acme', '--config', service.config])).summary.exitCode).toBe(2)
    const known = await reportOf(quick)
    expect(known.summary).toMatchObject({ sound: 1, inconclusive: 1, exitCode: 3 })
    expect(resultOf(known, 'acme')).toMatchObject({
      verdict: 'inconclusive',
      depth: 'quick',
      reason: expect.stringMatching(
        /^sound so far: a quick check has found nothing; but the file is known to be damaged \(index, found 20\S+Z\)/,
      ) as string,
      suspicion: [{ reason: 'known-damage' }],
      remedy: { command: 'holdfast check --tenant acme' },
    })
    const text = await holdfast(quick)
    expect([text.code, text.stdout]).toEqual([3, expect.stringContaining('sound so far')])
    const checked = await reportOf(['check', '--tenant', 'acme', '--depth', 'quick', '--config', service.config])
    expect([checked.summary.exitCode, resultOf(checked, 'acme').verdict]).toEqual([3, 'inconclusive'])
    expect(resultOf(await reportOf(['triage', '--config', service.config]), 'acme').verdict).toBe('damaged')

    const mended = await holdfast(['repair', '--tenant', 'acme', '--apply', '--config', service.config])
    expect(mended.code, mended.stdout).toBe(0)
    expect((await reportOf(quick)).summary).toMatchObject({ sound: 2, exitCode: 0 })
  })
})
