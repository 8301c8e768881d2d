/**
 * `holdfast compare`, as somebody types it (I3.2): files, private copies and tenants, their verdicts, what differs, and
 * the exit code.
 */
import { copyFileSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import {
  comparisonIn,
  comparisonOf,
  gistOf,
  onlyFileIn,
  tableIn,
  validateComparison,
} from '../../support/cli/comparison.ts'
import { damageIndex, fingerprintOf, makeDatabase, makeFolder, type Folder } from '../../support/cli/folder.ts'
import { ending, holdfast, reportOf, start, type Program } from '../../support/cli/program.ts'
import { openService } from '../../support/cli/service.ts'
import { Patient } from '../../support/databases/surgeon.ts'
import { until } from '../../support/service/gate.ts'

function changeIn(path: string, sql: string): void {
  const database = new Database(path)
  database.exec(sql)
  database.close()
}

/** `a.db`, and `b.db` with the same rows in another layout. */
function makePair(folder: Folder, rows = 400): readonly [string, string] {
  const a = makeDatabase(folder.in('a.db'), { rows })
  changeIn(a, `PRAGMA page_size=1024; VACUUM INTO '${folder.in('b.db')}'`)
  return [a, folder.in('b.db')]
}

test('I3.2 two copies in other layouts hold the same: 0, both held and proven, neither file touched', async () => {
  using folder = makeFolder()
  const [a, b] = makePair(folder)
  changeIn(b, 'PRAGMA journal_mode=WAL')
  const before = fingerprintOf(folder.path)
  const report = await comparisonOf([a, b])
  expect([
    gistOf(report),
    onlyFileIn(report).tables.map(({ name, comparison, rows }) => [name, comparison, rows]),
  ]).toEqual(['equal sound / sound 0', [['notes', 'equal', { a: 400, b: 400 }]]])
  const { name, paths, results } = onlyFileIn(report)
  expect([
    name,
    paths,
    results.a?.evidence.level,
    results.b?.evidence.level,
    report.run.mode,
    report.run.registry,
  ]).toEqual(['a.db', { a, b }, 'sealed', 'sealed', 'compare', 'none'])
  expect(Object.keys(report)).toEqual(['schema', 'tool', 'run', 'sides', 'outcome', 'files', 'summary'])
  expect(Object.keys(onlyFileIn(report))).toEqual([
    'name',
    'paths',
    'comparison',
    'why',
    'results',
    'tables',
    'schemaDifferences',
  ])
  expect(fingerprintOf(folder.path)).toEqual(before)
  const text = await holdfast(['compare', a, b])
  expect([text.code, text.stderr]).toEqual([0, ''])
  expect(text.stdout).toMatch(
    /^A {2}file .*a\.db: sound\nB {2}file .*b\.db: sound\n[^]*notes +equal +400 +400[^]*Exit code 0: both are sound and hold the same\.\n$/,
  )
  expect((await holdfast(['compare', a, b, '--quiet'])).stdout).toBe('')
})

test('what differs is told by key and by nothing else, is 5, and leaves no trace', async () => {
  using folder = makeFolder()
  const [a, b] = makePair(folder)
  changeIn(
    b,
    "UPDATE notes SET body = 'top secret' WHERE id BETWEEN 100 AND 130; DELETE FROM notes WHERE id = 7; INSERT " +
      "INTO notes(id, title) VALUES(9007199254740993, 'hidden title'); CREATE TABLE extra(x)",
  )
  const before = fingerprintOf(folder.path)
  const ran = await holdfast(['compare', a, b, '--json'])
  const report = comparisonIn(ran)
  const notes = tableIn(report, 'notes')
  expect([gistOf(report), notes.comparison, notes.rowsToldBy, notes.rows]).toEqual([
    'differ sound / sound 5',
    'differs',
    'rowid',
    { a: 400, b: 400 },
  ])
  expect(notes.differing).toEqual({
    rows: 33,
    exact: true,
    onlyInA: { total: 1, keys: [7] },
    onlyInB: { total: 1, keys: ['9007199254740993'] },
    different: { total: 31, keys: Array.from({ length: 20 }, (_, i) => 100 + i) },
  })
  expect(report.summary).toMatchObject({
    files: { total: 1, differing: 1 },
    tables: { differing: 1, onlyInB: 1 },
    rowsDiffering: 33,
  })
  expect(fingerprintOf(folder.path)).toEqual(before)
  const text = await holdfast(['compare', a, b])
  expect([text.code, text.stdout]).toEqual([
    5,
    expect.stringMatching(
      /extra +ONLY IN B[^]*notes: 33 rows differ, identified by rowid\n {2}changed +31: 100, 101,[^]* and 11 more\n {2}only in A +1: 7\n[^]*Exit code 5/,
    ),
  ])
  const redacted = comparisonIn(await holdfast(['compare', a, b, '--json', '--redact-keys']))
  expect(tableIn(redacted, 'notes').differing?.onlyInA.keys).toEqual([expect.stringMatching(/^hmac:[0-9a-f]{16}$/)])
  for (const said of [ran.stdout, text.stdout]) expect(said).not.toMatch(/secret|hidden|body \d/)
})

test('names of tables and keys cannot harm a terminal, and every line fits into it', async () => {
  using folder = makeFolder()
  const [a, b] = makePair(folder)
  for (const file of [a, b])
    changeIn(file, `CREATE TABLE "evil \u001b[31m${'long '.repeat(30)}"(k TEXT PRIMARY KEY, v) WITHOUT ROWID`)
  changeIn(
    b,
    `INSERT INTO "evil \u001b[31m${'long '.repeat(30)}" VALUES('\u001b[2J', 1), ` +
      `('${'k'.repeat(3000)}', 2); CREATE VIEW "v\n${'w'.repeat(200)}" AS SELECT 1`,
  )
  for (const more of [[], ['--verbose']]) {
    const { stdout, code } = await holdfast(['compare', a, b, ...more], { env: { COLUMNS: '80' } })
    expect(code).toBe(5)
    // eslint-disable-next-line no-control-regex
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/)
    expect(
      stdout
        .split('\n')
        .filter((line) => line.length > 80 && !/^(?:TABLE|\S+ +(?:equal|DIFFERS))|long long|\bv\\nw+$/.test(line)),
    ).toEqual([])
  }
})

/** `whole.db`, and `table.db` with a page of one of its tables overwritten. */
function makeWounded(folder: Folder): readonly [string, string] {
  const whole = makeDatabase(folder.in('whole.db'), { rows: 3000 })
  changeIn(whole, 'CREATE TABLE fine(x); INSERT INTO fine VALUES(1)')
  copyFileSync(whole, folder.in('table.db'))
  using patient = new Patient(folder.in('table.db'))
  patient.write(patient.leaf('notes'), new Uint8Array(patient.layout.pageSize))
  return [whole, folder.in('table.db')]
}

test('damage to an index is no difference, and is 2 all the same', async () => {
  using folder = makeFolder()
  const [a, b] = makePair(folder)
  damageIndex(a)
  changeIn(a, 'DROP TABLE hidden')
  const report = await comparisonOf([a, b])
  expect([gistOf(report), tableIn(report, 'notes').comparison]).toEqual(['equal damaged / sound 2', 'equal'])
})

test('a damaged table: the verdict and the next command are shown, and which rows the other side has: 2', async () => {
  using folder = makeFolder()
  const [whole, wounded] = makeWounded(folder)
  const report = await comparisonOf([wounded, whole])
  const notes = tableIn(report, 'notes')
  expect([gistOf(report), tableIn(report, 'fine').comparison, notes.comparison]).toEqual([
    'differ damaged / sound 2',
    'equal',
    'differs',
  ])
  expect(notes.why).toMatch(/not wholly read in A: \w/)
  expect(notes.differing?.onlyInB.total).toBeGreaterThan(2)
  expect([notes.differing?.onlyInA.total, notes.differing?.different.total]).toEqual([0, 0])
  const text = await holdfast(['compare', wounded, whole])
  expect(text.stdout).toMatch(/A {2}file .*: DAMAGED[^]*remedy[^]*next\n {4}holdfast [^]*only in B/)
})

test('the same page is gone on both sides: what is left is equal, and nobody can say more', async () => {
  using folder = makeFolder()
  const [, wounded] = makeWounded(folder)
  copyFileSync(wounded, folder.in('twin.db'))
  const twins = await comparisonOf([wounded, folder.in('twin.db')])
  expect([gistOf(twins), tableIn(twins, 'notes').comparison, tableIn(twins, 'fine').comparison]).toEqual([
    'inconclusive damaged / damaged 2',
    'not-compared',
    'equal',
  ])
})

test('what is no database, not there, or in use is said of its side, and nothing is compared', async () => {
  using folder = makeFolder()
  const [a] = makePair(folder)
  writeFileSync(folder.in('empty.db'), '')
  writeFileSync(folder.in('text.db'), 'no database at all '.repeat(300))
  const used = makeDatabase(folder.in('used.db'))
  const holder = new Database(used)
  holder.pragma('user_version')
  try {
    const gists = []
    for (const other of ['empty.db', 'text.db', 'missing.db', 'used.db'])
      gists.push(gistOf(await comparisonOf([a, folder.in(other)])))
    expect(gists).toEqual([
      'inconclusive sound / inconclusive EMPTY_FILE 3',
      'inconclusive sound / inconclusive NOT_SQLITE 3',
      'inconclusive sound / failed NOT_FOUND 1',
      'inconclusive sound / failed IN_USE 75',
    ])
    expect(gistOf(await comparisonOf([folder.in('missing.db'), a]))).toBe('inconclusive failed NOT_FOUND / none 1')
    const text = await holdfast(['compare', a, used])
    expect([text.code, text.stdout]).toEqual([
      75,
      expect.stringMatching(/IN_USE[^]*holdfast holders [^]*Nothing was compared: B could not be read\. Exit code\s75/),
    ])
    // As a private copy it can be compared, whoever has it open.
    expect(gistOf(await comparisonOf(['--snapshot', a, used]))).toBe('differ sound / sound 5')
  } finally {
    holder.close()
  }
})

test('a folder stands for the one database in it, and with none it is refused, as is one file given twice: 64', async () => {
  using folder = makeFolder()
  const [a, b] = makePair(folder)
  mkdirSync(folder.in('one'))
  copyFileSync(b, folder.in('one/copy.db'))
  mkdirSync(folder.in('none'))
  symlinkSync('a.db', folder.in('link.db'))
  expect(gistOf(await comparisonOf(['a.db', 'one'], { cwd: folder.path }))).toBe('equal sound / sound 0')
  const refused = [
    [a, folder.path],
    [a, folder.in('none')],
    [a, a],
    [a, folder.in('link.db')],
    [a, ''],
    ['a.db', 'nowhere'],
  ] as const
  for (const args of refused) {
    const ran = await holdfast(['compare', ...args, '--json'], { cwd: folder.path })
    const report = comparisonIn(ran)
    expect([ran.code, report.failure?.code, report.outcome, report.sides.a.given], args.join(' ')).toEqual([
      64,
      'USAGE',
      'inconclusive',
      args[0],
    ])
    expect(ran.stderr).toMatch(/USAGE[^]*next: \w/)
  }
})

test('what went wrong before anything was compared is one document too', async () => {
  using folder = makeFolder()
  const [a, b] = makePair(folder)
  const cases: readonly (readonly [readonly string[], string, number])[] = [
    [[a], 'USAGE', 64],
    [[a, b, '--nonsense'], 'USAGE', 64],
    [[a, b, '--config', '/nonexistent.yaml'], 'CONFIG_INVALID', 78],
    [['tenant:x', b, '--config', '/nonexistent.yaml'], 'CONFIG_INVALID', 78],
    [['tenant:x', b], 'CONFIG_INVALID', 78],
    [['nobody', b, '--config', '/nonexistent.yaml'], 'CONFIG_INVALID', 78],
    [[a, b, '--snapshots', '/etc'], 'SNAPSHOT_UNSAFE', 1],
  ]
  for (const [args, code, exitCode] of cases) {
    const ran = await holdfast(['compare', ...args, '--json'], { cwd: '/' })
    expect([comparisonIn(ran).failure?.code, ran.code], args.join(' ')).toEqual([code, exitCode])
  }
})

test('a check that is not given the time to read is no comparison: 3', async () => {
  using folder = makeFolder()
  const [a, b] = makePair(folder, 20_000)
  const report = await comparisonOf(['--snapshot', a, b, '--timeout', '1ms'])
  expect([report.outcome, report.summary.exitCode, report.summary.tables.equal]).toEqual(['inconclusive', 3, 0])
})

test(
  'a tenant against what was pulled of it: the same until the service ' +
    'writes; it is held, checked, remembered, and serves again',
  async () => {
    await using service = await openService()
    const config = ['--config', service.config]
    const pulled = service.folder.in('pulled')
    expect((await holdfast(['pull', 'acme', pulled, ...config])).code).toBe(0)
    const same = await comparisonOf(['acme', pulled, ...config])
    expect([gistOf(same), same.sides.a.kind, same.sides.b.kind, same.run.registry]).toEqual([
      'equal sound / sound 0',
      'tenant',
      'file',
      'live',
    ])
    const inSame = onlyFileIn(same).results
    expect([inSame.a?.tenant, inSame.a?.evidence.quiesce?.continuous, inSame.b?.evidence.level]).toEqual([
      'acme',
      true,
      'sealed',
    ])

    const writer = new Database(join(service.data, 'acme.db'))
    writer.exec("UPDATE notes SET title = 'later' WHERE id = 3")
    writer.close()
    // A copy is recognised by its manifest, as by `check --snapshot`; and the sides keep their places.
    const differ = await comparisonOf(['--snapshot', join(pulled, 'acme.db'), 'tenant:acme', ...config])
    expect([
      gistOf(differ),
      differ.sides.a.kind,
      onlyFileIn(differ).results.a?.tenant,
      onlyFileIn(differ).results.a?.evidence.level,
    ]).toEqual(['differ sound / sound 5', 'copy', 'acme', 'sealed'])
    expect(tableIn(differ, 'notes').differing).toMatchObject({ rows: 1, different: { total: 1, keys: [3] } })
    expect([service.gate.stateOf('acme'), service.deeds, readdirSync(service.snapshots)]).toEqual([
      'active',
      ['close acme', 'open acme', 'close acme', 'open acme', 'close acme', 'open acme'],
      [],
    ])
    const history = JSON.parse((await holdfast(['history', 'acme', '--json', ...config])).stdout) as object
    expect(JSON.stringify(history).match(/"verdict":"sound"/g)).toHaveLength(3)
  },
)

test('killed in the middle, a comparison leaves no copy that the next run does not clear away', async () => {
  await using service = await openService()
  const pulled = service.folder.in('pulled')
  expect((await holdfast(['pull', 'acme', pulled, '--config', service.config])).code).toBe(0)
  const args = ['--snapshot', join(pulled, 'acme.db'), 'tenant:acme', '--config', service.config]
  const program = start(['compare', ...args])
  const isCopyThere = (): boolean =>
    readdirSync(service.snapshots).some((run) =>
      readdirSync(join(service.snapshots, run)).some((name) => name.includes('compared')),
    )
  await until(isCopyThere, 'the copy of the file is there')
  program.kill('SIGKILL')
  await ending(program)
  await until(() => service.gate.stateOf('acme') === 'active', 'acme serves', 60_000)
  expect(isCopyThere()).toBe(true)
  expect(gistOf(await comparisonOf(args))).toBe('equal sound / sound 0')
  expect(readdirSync(service.snapshots)).toEqual([])
})

test('two tenants are held one after the other', async () => {
  await using service = await openService()
  expect(gistOf(await comparisonOf(['acme', 'bolt', '--config', service.config]))).toBe('equal sound / sound 0')
  expect(service.deeds).toEqual(['close acme', 'open acme', 'close bolt', 'open bolt'])
})

test('names that are none, or could be two things, are refused before anybody stands still: 64', async () => {
  await using service = await openService()
  const config = ['--config', service.config]
  const deeds = service.deeds.length
  const here = service.folder.in('here')
  mkdirSync(here)
  makeDatabase(join(here, 'acme'))
  const refused: readonly (readonly [string, string, RegExp, string])[] = [
    ['acme', 'tenant:bolt', /acme is a file here and a tenant of the service/, 'USAGE'],
    ['tenant:acme', 'tenant:acme', /same tenant/, 'USAGE'],
    [
      'tenant:acme',
      'nobody',
      /there is no file nobody here, and the service does not list a tenant "nobody"/,
      'TENANT_UNKNOWN',
    ],
    ['tenant:acme', join(service.data, 'acme.db'), /one and the same file/, 'USAGE'],
  ]
  for (const [a, b, said, code] of refused) {
    const ran = await holdfast(['compare', a, b, '--json', ...config], { cwd: here })
    expect([ran.code, comparisonIn(ran).failure?.code, ran.stderr]).toEqual([64, code, expect.stringMatching(said)])
  }
  expect(service.deeds.length).toBe(deeds)
})

test('written with a slash it is the file; and no tenant is asked to stand still for a file that is not there', async () => {
  await using service = await openService()
  const config = ['--config', service.config]
  const here = service.folder.in('here')
  mkdirSync(here)
  makeDatabase(join(here, 'acme'))
  expect(gistOf(await comparisonOf(['./acme', 'tenant:acme', ...config], { cwd: here }))).toBe('equal sound / sound 0')
  const before = service.deeds.length
  expect(gistOf(await comparisonOf(['tenant:acme', './missing', ...config], { cwd: here }))).toBe(
    'inconclusive none / failed NOT_FOUND 1',
  )
  expect(service.deeds.length).toBe(before)
})

test('interrupted in the middle of a hold: the tenant serves again, nothing is left, and the document says so', async () => {
  let program: Program | null = null
  await using service = await openService({ onClose: () => void program?.kill('SIGTERM') })
  program = start(['compare', 'tenant:acme', 'tenant:bolt', '--json', '--config', service.config])
  const ran = await ending(program)
  const report = comparisonIn(ran)
  expect([ran.code, report.outcome, report.failure?.code], ran.stderr).toEqual([143, 'inconclusive', 'INTERRUPTED'])
  expect([service.gate.stateOf('acme'), service.deeds, readdirSync(service.snapshots)]).toEqual([
    'active',
    ['close acme', 'open acme'],
    [],
  ])
})

test('the schema refuses what no comparison may be', async () => {
  using folder = makeFolder()
  const [a, b] = makePair(folder)
  changeIn(b, 'DELETE FROM notes WHERE id = 1')
  const report = await comparisonOf([a, b])
  const table = tableIn(report, 'notes')
  const file = onlyFileIn(report)
  const withTable = (more: object): object => ({ ...report, files: [{ ...file, tables: [{ ...table, ...more }] }] })
  const wrong = [
    { ...report, outcome: 'equal' },
    { ...report, schema: 'holdfast.report/1' },
    withTable({ comparison: 'equal' }),
    withTable({ comparison: 'not-compared' }),
    withTable({ digest: { a: 'x', b: null } }),
    { ...report, sides: { a: report.sides.a } },
    { ...report, files: [] },
    { ...report, files: [{ ...file, results: { ...file.results, b: null } }] },
  ]
  expect(wrong.map((document) => validateComparison(document))).toEqual(wrong.map(() => false))
  expect(validateComparison({ ...report, later: true })).toBe(true)
  // The exit code is of its own kind, and can be asked about.
  expect((await holdfast(['explain', '5'])).stdout).toMatch(/differ/)
  expect((await reportOf(['check', a])).summary.exitCode).toBe(0)
})
