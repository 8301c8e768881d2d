/** `check --live`: files that another program keeps open and writes to, as a person meets them. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { damageIndex, makeDatabase, makeFolder } from '../../support/cli/folder.ts'
import { generousLimits, generousConfig } from '../../support/cli/generous-limits.ts'
import { longPattern } from '../../support/cli/long-pattern.ts'
import { holdfast, reportIn, reportOf } from '../../support/cli/program.ts'
import { startUnit } from '../../support/live-unit.ts'

test('a file in use is BUSY (75); the hint names --live, which finds it sound while the program writes', async () => {
  using folder = makeFolder()
  const path = makeDatabase(folder.in('app.db'), { wal: true })
  await using unit = await startUnit(path)
  const busy = await holdfast(['check', path])
  expect([busy.code, busy.stdout]).toEqual([75, expect.stringContaining(`hint    \`holdfast check --live ${path}\``)])

  const before = unit.rows()
  const live = await holdfast(['check', '--live', path, '--config', generousConfig(folder)])
  expect([live.code, live.stdout], live.stderr).toEqual([
    0,
    expect.stringMatching(
      longPattern(
        / sound [^]*\nPinned: the locks of SQLite kept the copied bytes still while programs went on\. /,
        /That does not show that no program ignores these locks\. `holdfast explain pinned` says more\.\n/,
      ),
    ),
  ])
  expect(live.stdout).not.toContain('Recovered before the check')
  expect(unit.rows()).toBeGreaterThan(before)
})

test('the JSON report names the level, and how the file was pinned; --keep-snapshot keeps the level', async () => {
  using folder = makeFolder()
  const path = makeDatabase(folder.in('app.db'), { wal: true })
  await using unit = await startUnit(path)
  const acknowledged = unit.rows()
  const report = await reportOf([
    'check',
    '--live',
    path,
    '--keep-snapshot',
    folder.in('kept'),
    '--config',
    generousConfig(folder),
  ])
  expect(report.results[0]?.evidence).toMatchObject({
    level: 'pinned',
    quiesce: null,
    lease: null,
    pin: { branch: 'wal', lastSeenConnected: true },
  })
  const rows = report.results[0]?.content.tables.find(({ name }) => name === 'notes')?.rows
  expect(rows).toBeGreaterThanOrEqual(50 + acknowledged)
  const kept = reportIn(await holdfast(['check', '--snapshot', folder.in('kept'), '--json']))
  expect(kept.results[0]?.evidence.level).toBe('pinned')
})

test('a folder, and several files: each is pinned for itself', async () => {
  using folder = makeFolder()
  const [one, two] = ['one.db', 'two.db'].map((name) => makeDatabase(folder.in(name), { wal: true }))
  await using _one = await startUnit(one ?? '')
  await using _two = await startUnit(two ?? '')
  for (const named of [[folder.path], [one ?? '', two ?? '']]) {
    const { results } = await reportOf(['check', '--live', ...named, '--config', generousConfig(folder)])
    expect(results.map(({ verdict, evidence }) => [verdict, evidence.level])).toEqual([
      ['sound', 'pinned'],
      ['sound', 'pinned'],
    ])
  }
})

test('a rollback journal, and a file that no program has open: the report says what each pin was', async () => {
  using folder = makeFolder()
  const [busy, idle] = [makeDatabase(folder.in('busy.db')), makeDatabase(folder.in('idle.db'), { wal: true })]
  await using _unit = await startUnit(busy)
  const { code, stdout, stderr } = await holdfast([
    'check',
    '--live',
    '--verbose',
    busy,
    idle,
    '--config',
    generousConfig(folder),
  ])
  expect(code, stderr).toBe(0)
  expect(stdout).toMatch(/busy\.db\n +proof +pinned .*; a commit could wait \S+ m?s for the copy, and 100 ms more/)
  expect(stdout).toMatch(/idle\.db\n +proof +pinned .*; no program was connected to the database, and none came/)
})

describe('a holdfast.yaml with hold.require: pinned', () => {
  test('that lies in the folder weakens no bare check; one that is named does', async () => {
    using folder = makeFolder()
    const path = makeDatabase(folder.in('app.db'), { wal: true })
    const config = folder.in('holdfast.yaml')
    writeFileSync(
      config,
      `service: { name: notes, admin: unix:${folder.in('none.sock')} }\n` +
        `tenants: { roots: [${folder.path}] }\nhold: { require: pinned }\n${generousLimits}`,
    )
    await using _unit = await startUnit(path)
    expect((await holdfast(['check', 'app.db'], { cwd: folder.path })).code).toBe(75)
    const { results } = await reportOf(['check', 'app.db', '--config', config], { cwd: folder.path })
    expect(results.map(({ verdict, evidence }) => [verdict, evidence.level])).toEqual([['sound', 'pinned']])
  })
})

test('--live is for files alone (64)', async () => {
  using folder = makeFolder()
  const path = makeDatabase(folder.in('app.db'))
  const ran = await Promise.all([
    holdfast(['check', '--live', '--snapshot', path]),
    holdfast(['check', '--live', '--tenant', 'acme']),
    holdfast(['check', '--live']),
  ])
  expect(ran.map(({ code }) => code)).toEqual([64, 64, 64])
  expect(ran[0]?.stderr).toContain('--live is for files that programs have open')
  expect(ran[1]?.stderr).toContain('hold.require: pinned')
})

test('damage that both snapshots show is damage; a remedy is refused with words', async () => {
  using folder = makeFolder()
  const path = makeDatabase(folder.in('app.db'), { wal: true, rows: 200 })
  damageIndex(path)
  await using _unit = await startUnit(path)
  const report = await reportOf(['check', '--live', path, '--config', generousConfig(folder)])
  expect(report.summary.exitCode).toBe(2)
  const [result] = report.results
  expect(result).toMatchObject({
    verdict: 'damaged',
    damage: 'index',
    remedy: { do: 'rebuild', rehearsed: true },
    secondSnapshot: { verdict: 'damaged', confirmed: 1, unconfirmedTotal: 0, evidence: { level: 'pinned' } },
  })
  // Two pins, not one evidence twice.
  expect(result?.secondSnapshot?.evidence.proofs[0]?.at).not.toBe(result?.evidence.proofs[0]?.at)

  const { stdout } = await holdfast(['check', '--live', path, '--config', generousConfig(folder)])
  expect(stdout).toMatch(
    longPattern(
      /again +a second snapshot, pinned later, shows the same 1 finding of damage\n[^]*/,
      /first +a remedy needs a file that no program has open: stop the program first, or let hooks stop [^]*/,
      /next\n +holdfast repair .*app\.db --apply/,
    ),
  )
  for (const args of [
    ['repair', path],
    ['restore', path, '--from', join(folder.path, 'none.db')],
  ]) {
    const refused = await holdfast(args)
    expect([refused.code, refused.stdout]).toEqual([
      75,
      expect.stringMatching(
        /a remedy needs a file that no program has open: stop the program, [^]*src\/service\/hooks\/README\.md/,
      ),
    ])
  }
})

test('damage in a copy that was pinned is inconclusive: only the live file can confirm it', async () => {
  using folder = makeFolder()
  const path = makeDatabase(folder.in('app.db'), { wal: true, rows: 200 })
  damageIndex(path)
  await using _unit = await startUnit(path)
  const kept = folder.in('kept')
  const live = await reportOf(['check', '--live', path, '--keep-snapshot', kept, '--config', generousConfig(folder)])
  expect(live.results.map(({ verdict }) => verdict)).toEqual(['damaged'])
  const copy = await reportOf(['check', '--snapshot', kept])
  expect([copy.summary.exitCode, copy.results.map(({ verdict, remedy }) => [verdict, remedy.command])]).toEqual([
    3,
    [['inconclusive', `holdfast check --live ${path}`]],
  ])
})
