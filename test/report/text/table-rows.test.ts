/** A line for each table of a damaged file. */
import { expect, test } from 'vitest'
import type { Result } from '../../../src/model/result/report.ts'
import { renderReport } from '../../../src/report/text/text.ts'
import { damaged, report, sound } from '../../support/report.ts'

const finding = {
  rule: 'null-in-not-null',
  severity: 'damage',
  source: 'census',
  object: { kind: 'table', name: 'nulls', table: 'nulls' },
  text: 't',
} as const
const digest = '0123456789abcdef'

function lines(more: Partial<Result>, verbose = false): readonly string[] {
  const text = renderReport(report([damaged('acme', more)]), { width: 100, color: false, verbose }).split('\n')
  const first = text.findIndex((line) => line.startsWith('  tables  '))
  if (first < 0) return []
  const after = text.findIndex((line, i) => i > first && !line.startsWith('          '))
  return text.slice(first, after).map((line) => line.slice(10))
}

test('the worst first: what cannot be counted, what is missing, what is whole', () => {
  const tables = [
    { name: 'b', rows: 3_000_000, digest, readable: 3_000_000, unreadable: 0 },
    { name: 'one', rows: 1, digest, readable: 1, unreadable: 0 },
    { name: 'events', rows: 2_999_993, digest, readable: 2_999_993, unreadable: 7 },
    { name: 'nulls', rows: 9, digest, readable: 9, unreadable: 0 },
    { name: 'lost\n', rows: 4, digest, readable: 4, unreadable: null },
    { name: 'old', rows: 5, digest: null },
  ]
  expect(lines({ findings: [finding], content: { tables, uncounted: ['gone'] } })).toEqual([
    'gone: its rows cannot be counted',
    'lost\\n: 4 rows readable, the rest cannot be counted',
    'events: 2,999,993 of 3,000,000 rows readable',
    'old: 5 rows counted, not read one by one',
    'nulls: all 9 rows readable',
    'b: whole, 3,000,000 rows',
    'one: whole, 1 row',
  ])
})

test('ten tables have a line, the others and more than three whole ones are counted, and --verbose names all', () => {
  const whole = Array.from({ length: 49 }, (_, i) => ({ name: `t${i}`, rows: i, digest, readable: i, unreadable: 0 }))
  const broken = Array.from({ length: 12 }, (_, i) => ({
    name: `x${i}`,
    rows: i,
    digest,
    readable: i,
    unreadable: null,
  }))
  expect(
    lines({ content: { tables: [...whole, { name: 'z', rows: 1, digest, readable: 1, unreadable: 2 }] } }).slice(0, 1),
  ).toEqual(['z: 1 of 3 rows readable'])
  expect(lines({ content: { tables: whole } }).at(-1)).toBe('all 49 tables are whole')
  const three = [...whole.slice(0, 3), ...broken.slice(0, 1)]
  expect(lines({ content: { tables: three } })).toHaveLength(4)
  expect(lines({ content: { tables: [...three, ...whole.slice(3, 4)] } })).toEqual([
    'x0: 0 rows readable, the rest cannot be counted',
    'and 4 more tables, whole',
  ])
  expect(lines({ content: { tables: [...whole, ...broken] } }).slice(10)).toEqual([
    'and 2 more tables; --verbose shows them',
    'and 49 more tables, whole',
  ])
  expect(lines({ content: { tables: [...whole, ...broken] } }, true)).toHaveLength(61)
})

test('if nothing was counted, or nothing is damaged, no rows are reported', () => {
  expect(lines({ depth: 'quick', content: { tables: [] } })).toEqual(['a quick check counts no rows'])
  expect(lines({ content: { tables: [] } })).toEqual([])
  expect(renderReport(report([sound('a')]), { width: 100, color: false, verbose: true })).not.toContain('tables  ')
})
