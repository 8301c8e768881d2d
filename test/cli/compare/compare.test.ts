/** `holdfast compare` of two sound files (I3.2): what differs, how it is printed, and the exit code. */
import { expect, test } from 'vitest'
import {
  comparisonIn,
  comparisonOf,
  shortComparison,
  onlyFileIn,
  tableIn,
  validateComparison,
} from '../../support/cli/comparison.ts'
import { changeIn, makePair } from '../../support/cli/comparison.ts'
import { fingerprintOf, makeFolder } from '../../support/cli/folder.ts'
import { longPattern } from '../../support/cli/long-pattern.ts'
import { holdfast, reportOf } from '../../support/cli/program.ts'

test('I3.2 two copies in other layouts hold the same: 0, both held and proven, neither file touched', async () => {
  using folder = makeFolder()
  const [a, b] = makePair(folder)
  changeIn(b, 'PRAGMA journal_mode=WAL')
  const before = fingerprintOf(folder.path)
  const report = await comparisonOf([a, b])
  expect([
    shortComparison(report),
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
    longPattern(
      /^A {2}file .*a\.db: sound\nB {2}file .*b\.db: /,
      /sound\n[^]*notes +equal +400 +400[^]*Exit code 0: both are sound and hold the same\.\n$/,
    ),
  )
  expect((await holdfast(['compare', a, b, '--quiet'])).stdout).toBe('')
})

test('differences are reported by key and nothing else, are 5, and leave no trace', async () => {
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
  expect([shortComparison(report), notes.comparison, notes.rowsToldBy, notes.rows]).toEqual([
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
      longPattern(
        /extra +ONLY IN B[^]*notes: 33 rows differ, identified by rowid\n {2}changed +31: /,
        /100, 101,[^]* and 11 more\n {2}only in A +1: 7\n[^]*Exit code 5/,
      ),
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

test('a check without the time to read is no comparison: 3', async () => {
  using folder = makeFolder()
  const [a, b] = makePair(folder, 20_000)
  const report = await comparisonOf(['--snapshot', a, b, '--timeout', '1ms'])
  expect([report.outcome, report.summary.exitCode, report.summary.tables.equal]).toEqual(['inconclusive', 3, 0])
})

test('the schema refuses documents that are no comparison', async () => {
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
