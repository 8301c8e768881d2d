/** A comparison as people and programs read it, and the exit code that follows from it. */
import { expect, test } from 'vitest'
import { comparedFile, fileNotReached, fileOfOneSide } from '../../../src/comparison/files.ts'
import { exitCodes } from '../../../src/model/exit-code.ts'
import type {
  Comparison,
  ComparisonReport,
  FileComparison,
  SchemaDifference,
  TableComparison,
} from '../../../src/model/result/comparison.ts'
import type { Result } from '../../../src/model/result/report.ts'
import { comparisonJson, fileRedactor } from '../../../src/report/comparison/comparison-json.ts'
import { ComparisonTally } from '../../../src/report/comparison/comparison-summary.ts'
import { comparisonText } from '../../../src/report/comparison/comparison-text.ts'
import { pattern } from '../../support/pattern.ts'
import { damaged, failed, paused, sound, unproven } from '../../support/report.ts'

const equal = (name: string): TableComparison => ({
  name,
  partOf: null,
  comparison: 'equal',
  rows: { a: 3, b: 3 },
  digest: { a: '00112233aabbccdd', b: '00112233aabbccdd' },
  rowsToldBy: null,
  differing: null,
  why: null,
})
const none = { total: 0, keys: [] }
const differing: TableComparison = {
  ...equal('events'),
  comparison: 'differs',
  digest: { a: '00112233aabbccdd', b: '0000000000000001' },
  rowsToldBy: 'rowid',
  differing: {
    rows: 3,
    exact: false,
    onlyInA: none,
    onlyInB: { total: 1, keys: [4242] },
    different: { total: 2, keys: [17, 18] },
  },
  why: 'it was not wholly read in A: row 17 of events on page 4 is out of order beside 18',
}
const unread: TableComparison = {
  ...equal('blobs'),
  comparison: 'not-compared',
  why: 'its content could not be read in B',
  digest: { a: '00112233aabbccdd', b: null },
}
const compared = (
  tables: readonly TableComparison[],
  schemaDifferences: readonly SchemaDifference[] = [],
): Comparison => ({ why: null, tables, schemaDifferences })

const fileOf = (a: Result | null, b: Result | null, comparison: Comparison | null, name = 'notes.db'): FileComparison =>
  comparedFile(name, { a: `/srv/${name}`, b: `./${name}` }, { a, b }, comparison)

function tallyOf(files: readonly FileComparison[]): ComparisonTally {
  const tally = new ComparisonTally()
  for (const file of files) tally.add(file)
  return tally
}

const codeOfFiles = (...files: readonly FileComparison[]): number =>
  tallyOf(files).exitCode({ failed: null, signal: null })
const codeOf = (a: Result | null, b: Result | null, comparison: Comparison | null): number =>
  codeOfFiles(fileOf(a, b, comparison))
const outcomeOf = (comparison: Comparison | null): string =>
  tallyOf([fileOf(sound('a'), sound('b'), comparison)]).outcome

function frameOf(files: readonly FileComparison[]): Omit<ComparisonReport, 'files'> {
  const tally = tallyOf(files)
  return {
    schema: 'holdfast.compare/1',
    tool: { version: '0.1.0', sqlite: '3.54.1' },
    run: {
      id: '01J',
      mode: 'compare',
      startedAt: '2026-11-21T03:00:00Z',
      finishedAt: '2026-11-21T03:00:02Z',
      registry: 'live',
    },
    sides: { a: { given: 'tenant:acme', kind: 'tenant' }, b: { given: './b', kind: 'file' } },
    outcome: tally.outcome,
    summary: { ...tally.counts, exitCode: tally.exitCode({ failed: null, signal: null }) },
  }
}

const text = (files: readonly FileComparison[], verbose = false): string =>
  [...comparisonText(frameOf(files), files, { width: 80, color: false, verbose })].join('')

test('a difference has its own code beside damage and doubt, and is the mildest', () => {
  const [a, b] = [sound('a'), sound('b')]
  expect([
    codeOf(a, b, compared([equal('x')])),
    codeOf(a, b, compared([])),
    codeOf(a, b, compared([{ ...differing, why: null }])),
  ]).toEqual([0, 0, 5])
  const view: SchemaDifference = { kind: 'view', name: 'v', comparison: 'only-in-a', text: 'view v is only in A' }
  expect([
    codeOf(a, b, compared([equal('x')], [view])),
    codeOf(a, b, compared([equal('x'), unread])),
    codeOf(a, b, compared([differing, unread])),
  ]).toEqual([5, 3, 3])
  expect([
    codeOf(damaged('a'), b, compared([differing])),
    codeOf(a, unproven('b'), null),
    codeOf(a, failed('b'), null),
    codeOf(paused('a'), null, null),
    codeOf(a, b, null),
  ]).toEqual([2, 3, 1, 4, 3])
  expect([
    outcomeOf(compared([differing, unread])),
    outcomeOf(compared([equal('x'), unread])),
    outcomeOf(null),
    outcomeOf({ ...compared([]), why: 'A: no time was left for it' }),
  ]).toEqual(['differ', 'inconclusive', 'inconclusive', 'inconclusive'])
})

test('of several files the gravest counts, and a file that only one side has is a difference', () => {
  const [a, b] = [sound('a'), sound('b')]
  const same = fileOf(a, b, compared([equal('x')]))
  const missing = fileOfOneSide('only-in-b', 'later.db', './later.db')
  const unreached = fileNotReached('late.db', { a: '/srv/late.db', b: './late.db' })
  const busy = fileOf(
    a,
    failed('b', { failure: { code: 'IN_USE', message: 'in use', hint: 'wait', tenantState: 'untouched' } }),
    null,
  )
  expect([
    codeOfFiles(same, same),
    codeOfFiles(same, missing),
    codeOfFiles(same, missing, busy),
    codeOfFiles(missing, unreached),
    codeOfFiles(fileOf(damaged('a'), b, compared([equal('x')])), missing, unreached),
    codeOfFiles(same, fileOf(paused('a'), null, null)),
  ]).toEqual([0, 5, 75, 3, 2, 4])
  expect([
    tallyOf([]).outcome,
    tallyOf([same, same]).outcome,
    tallyOf([same, busy]).outcome,
    tallyOf([same, unreached, missing]).outcome,
  ]).toEqual(['inconclusive', 'equal', 'inconclusive', 'differ'])
  const ended = (...files: readonly FileComparison[]): number =>
    tallyOf(files).exitCode({ failed: exitCodes.failed, signal: exitCodes.terminated })
  expect([
    tallyOf([missing, unreached]).exitCode({ failed: exitCodes.failed, signal: null }),
    ended(missing),
    ended(fileOf(paused('a'), null, null), missing),
  ]).toEqual([1, 143, 4])
  expect(tallyOf([same, fileOf(a, b, compared([equal('x'), differing])), missing, unreached]).counts).toEqual({
    files: { total: 4, equal: 1, differing: 1, onlyInA: 0, onlyInB: 1, notCompared: 1 },
    tables: { total: 3, equal: 2, differing: 1, onlyInA: 0, onlyInB: 0, notCompared: 0 },
    rowsDiffering: 3,
    schemaDifferences: 0,
  })
})

test('many equal tables are counted, and the others are listed', () => {
  const many = Array.from({ length: 30 }, (_, i) => equal(`table ${i}`))
  const files = [fileOf(damaged('acme'), sound('b'), compared([...many, differing, unread]))]
  expect(text(files)).toMatch(
    pattern(
      /^A {2}tenant acme .*: DAMAGED\nB {2}file \.\/b \(.*\): sound\n[^]*events +DIFFERS +3 +3 +>= 3\n/,
      /blobs +not compared[^]*and 30 tables equal[^]*events: at least 3 rows differ, identified by /,
      /rowid\n {2}changed +2: 17, 18\n {2}only in B +1: 4242\n {2}note +it was not wholly read in A/,
    ),
  )
  expect(text(files)).toMatch(
    pattern(
      /A and B differ\. 32 tables: 30 equal, 1 differing, 0 only in A, 0 only in B, 1\n/,
      /not compared\. Exit code 2: damage found\.\n$/,
    ),
  )
  for (const verbose of [false, true])
    expect(
      text(files, verbose)
        .split('\n')
        .filter((line) => line.length > 80),
    ).toEqual([])
})

test('several files: each has a heading, what differs in it and what it comes to; in the end stands the total', () => {
  const [a, b] = [sound('a'), sound('b')]
  const files = [
    fileOf(a, b, compared([equal('x')]), 'main.db'),
    fileOf(damaged('acme'), b, compared([differing]), 'events.db'),
    fileOf(a, unproven('b'), null, 'used.db'),
    fileNotReached('late.db', { a: '/srv/late.db', b: './late.db' }),
    fileOfOneSide('only-in-a', `evil \u001b[31m${'long '.repeat(30)}.db`, '/srv/evil'),
  ]
  const said = text(files)
  expect(said).toMatch(
    pattern(
      /^A {2}tenant acme\nB {2}folder \.\/b\n\nFile main\.db: equal\nA {2}\/srv\/main\.db: sound\n/,
      /B {2}\.\/main\.db: sound\n\nTABLE[^]*x +equal[^]*A and B hold the same\. 1 table: 1 equal, /,
    ),
  )
  expect(said).toMatch(
    pattern(
      /\nFile events\.db: DIFFERS\n[^]*DAMAGED \(index\)[^]*changed +2: 17, 18\n/,
      /[^]*A and B differ\. 1 table: [^]*\nFile used\.db: not compared\n[^]*IN_USE/,
      /[^]*Nothing was compared: B could not be read\.\n/,
    ),
  )
  expect(said).toMatch(
    pattern(
      /\nFile late\.db: not compared\nA {2}\/srv\/late\.db: not read\nB {2}\.\/late\.db: not read\n\n/,
      /Nothing was compared: the run ended before it was done with this file\.\n\nFile\n/,
      /evil \\e\[31mlong [^]*:\nONLY IN A\nA {2}\/srv\/evil: not read\nB {2}has no such file\n/,
    ),
  )
  expect(said).toMatch(
    pattern(
      /A and B differ\. 5 files: 1 equal, 1 differing, 1 only in A, 0 only in B, 2 not\n/,
      /compared\. 2 tables: [^]*Exit code 2: damage found\.\n$/,
    ),
  )
  for (const verbose of [false, true])
    expect(
      text(files, verbose)
        .split('\n')
        .filter((line) => line.length > 80)
        .every((line) => line.startsWith('evil ')),
    ).toBe(true)
})

test('many equal files are counted, except those with something to report', () => {
  const many = Array.from({ length: 30 }, (_, i) =>
    fileOf(sound('a'), i === 7 ? damaged('b') : sound('b'), compared([equal('x')]), `${i}.db`),
  )
  expect(text(many)).toMatch(
    pattern(
      /^A .*\nB .*\n\nFile 7\.db: equal\n[^]*DAMAGED[^]*\n\nand 29 files equal\n\n/,
      /A and B hold the same\. 30 files: 30 equal[^]*Exit code 2/,
    ),
  )
  expect(text(many).match(/^File /gm)).toHaveLength(1)
  expect(text(many, true).match(/^File /gm)).toHaveLength(30)
})

test('a tenant that may be paused comes first, with the command', () => {
  const said = text([fileOf(paused('acme'), null, null)])
  expect(said).toMatch(
    pattern(
      /^A {2}tenant acme.*: PAUSED\?\nB {2}file \.\/b: not read\n[^]*holdfast resume --all\n/,
      /[^]*Nothing was compared: [^]*Exit code 4: A TENANT MAY STILL BE\nPAUSED\.\n$/,
    ),
  )
})

test(
  'redacted: digests for keys, the same on both sides and in every ' +
    'file, and no number of a sentence that may quote one',
  () => {
    const redact = fileRedactor()
    const file = fileOf(
      sound('a'),
      damaged('b'),
      compared([
        {
          ...differing,
          differing: {
            rows: 2,
            exact: true,
            onlyInA: { total: 1, keys: [7, 17] },
            onlyInB: { total: 1, keys: [7] },
            different: none,
          },
        },
      ]),
    )
    const [one, other] = [redact(file), redact({ ...file, name: 'other.db' })]
    const [first] = one.tables
    const digest = expect.stringMatching(/^hmac:[0-9a-f]{16}$/) as string
    expect(first?.differing?.onlyInA.keys).toEqual([digest, digest])
    expect(first?.differing?.onlyInA.keys[0]).toEqual(first?.differing?.onlyInB.keys[0])
    expect(one.results.b?.findings[0]?.rows?.[0]).toEqual(first?.differing?.onlyInA.keys[1])
    expect(other.tables).toEqual(one.tables)
    expect(first?.why).toBe('it was not wholly read in A: row # of events on page # is out of order beside #')
  },
)

test('as a document it is what it was, written piece by piece', () => {
  const files = [
    fileOf(sound('a'), sound('b'), compared([equal('x')])),
    fileOfOneSide('only-in-b', 'later.db', './later.db'),
  ]
  for (const some of [files, []])
    expect(JSON.parse([...comparisonJson(frameOf(some), some)].join(''))).toEqual({ ...frameOf(some), files: some })
})
