/** A comparison as people and programs read it, and the exit code that follows from it. */
import { expect, test } from 'vitest'
import type { Comparison, ComparisonReport, SchemaDifference, TableComparison } from '../../src/model/comparison.ts'
import type { Result } from '../../src/model/report.ts'
import { redactComparison } from '../../src/report/comparison-json.ts'
import { exitCodeOfComparison, outcomeOf, summaryOfComparison } from '../../src/report/comparison-summary.ts'
import { renderComparison } from '../../src/report/comparison-text.ts'
import { damaged, failed, paused, sound, unproven } from './support.ts'

const equal = (name: string): TableComparison => ({ name, partOf: null, comparison: 'equal', rows: { a: 3, b: 3 }, digest: { a: '00112233aabbccdd', b: '00112233aabbccdd' }, rowsToldBy: null, differing: null, why: null })
const none = { total: 0, keys: [] }
const differing: TableComparison = {
  ...equal('events'), comparison: 'differs', digest: { a: '00112233aabbccdd', b: '0000000000000001' }, rowsToldBy: 'rowid',
  differing: { rows: 3, exact: false, onlyInA: none, onlyInB: { total: 1, keys: [4242] }, different: { total: 2, keys: [17, 18] } }, why: 'it was not wholly read in A: row 17 of events on page 4 is out of order beside 18',
}
const unread: TableComparison = { ...equal('blobs'), comparison: 'not-compared', why: 'its content could not be read in B', digest: { a: '00112233aabbccdd', b: null } }
const compared = (tables: readonly TableComparison[], schemaDifferences: readonly SchemaDifference[] = []): Comparison => ({ why: null, tables, schemaDifferences })

const codeOf = (a: Result | null, b: Result | null, comparison: Comparison | null): number =>
  exitCodeOfComparison({ sides: { a: { given: 'a', kind: 'tenant', result: a }, b: { given: 'b', kind: 'tenant', result: b } }, comparison }, null)

function reportOf(a: Result | null, b: Result | null, comparison: Comparison | null): ComparisonReport {
  return {
    schema: 'holdfast.compare/1', tool: { version: '0.1.0', sqlite: '3.54.1' }, run: { id: '01J', mode: 'compare', startedAt: '2026-11-21T03:00:00Z', finishedAt: '2026-11-21T03:00:02Z', registry: 'live' },
    sides: { a: { given: 'acme', kind: 'tenant', result: a }, b: { given: './b.db', kind: 'file', result: b } }, outcome: outcomeOf(comparison), why: comparison === null ? 'B could not be read' : comparison.why,
    tables: comparison?.tables ?? [], schemaDifferences: comparison?.schemaDifferences ?? [], summary: summaryOfComparison(comparison, codeOf(a, b, comparison) as 0),
  }
}

const text = (report: ComparisonReport, verbose = false): string => renderComparison(report, { width: 80, color: false, verbose })

test('a difference is told apart from damage and from doubt, and is the least of them', () => {
  const [a, b] = [sound('a'), sound('b')]
  expect([codeOf(a, b, compared([equal('x')])), codeOf(a, b, compared([])), codeOf(a, b, compared([{ ...differing, why: null }]))]).toEqual([0, 0, 5])
  const view: SchemaDifference = { kind: 'view', name: 'v', comparison: 'only-in-a', text: 'view v is only in A' }
  expect([codeOf(a, b, compared([equal('x')], [view])), codeOf(a, b, compared([equal('x'), unread])), codeOf(a, b, compared([differing, unread]))]).toEqual([5, 3, 3])
  expect([codeOf(damaged('a'), b, compared([differing])), codeOf(a, unproven('b'), null), codeOf(a, failed('b'), null), codeOf(paused('a'), null, null), codeOf(a, b, null)]).toEqual([2, 3, 1, 4, 3])
  expect([outcomeOf(compared([differing, unread])), outcomeOf(compared([equal('x'), unread])), outcomeOf(null), outcomeOf({ ...compared([]), why: 'A: no time was left for it' })]).toEqual(['differ', 'inconclusive', 'inconclusive', 'inconclusive'])
})

test('a page that fits: many equal tables are counted, the rest is told', () => {
  const many = Array.from({ length: 30 }, (_, i) => equal(`table ${i}`))
  const said = text(reportOf(damaged('acme'), sound('b'), compared([...many, differing, unread])))
  expect(said).toMatch(/^A {2}tenant acme .*: DAMAGED\n[^]*events +DIFFERS +3 +3 +>= 3\nblobs +not compared[^]*and 30 tables equal[^]*events: at least 3 rows differ, told by rowid\n {2}changed +2: 17, 18\n {2}only in B +1: 4242\n {2}note +it was not wholly read in A/)
  expect(said).toMatch(/A and B differ\. 32 tables: 30 equal, 1 differing, 0 only in A, 0 only in B, 1\nnot compared\. Exit code 2: damage found\.\n$/)
  for (const verbose of [false, true]) expect(text(reportOf(damaged('acme'), sound('b'), compared([...many, differing, unread])), verbose).split('\n').filter((line) => line.length > 80)).toEqual([])
})

test('a tenant that may stand still is the first thing said, with the command', () => {
  const said = text(reportOf(paused('acme'), null, null))
  expect(said).toMatch(/^A {2}tenant acme.*: PAUSED\?\nB {2}file \.\/b\.db: not read\n[^]*holdfast resume --all\n[^]*Nothing was compared: [^]*Exit code 4: A TENANT MAY STILL BE\nPAUSED\.\n$/)
})

test('redacted: digests for keys, the same on both sides, and no number of a sentence that may quote one', () => {
  const [first] = redactComparison(reportOf(sound('a'), sound('b'), compared([{ ...differing, differing: { rows: 2, exact: true, onlyInA: { total: 1, keys: [7] }, onlyInB: { total: 1, keys: [7] }, different: none } }]))).tables
  expect(first?.differing?.onlyInA.keys).toEqual([expect.stringMatching(/^hmac:[0-9a-f]{16}$/)])
  expect(first?.differing?.onlyInA.keys).toEqual(first?.differing?.onlyInB.keys)
  expect(first?.why).toBe('it was not wholly read in A: row # of events on page # is out of order beside #')
})
