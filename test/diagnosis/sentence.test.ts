/** How findings name things and numbers. */
import { expect, test } from 'vitest'
import { nameObject, writeSentence } from '../../src/diagnosis/sentence.ts'
import { count } from '../../src/text/count.ts'

test('a name of several words stands between quotes, a single word does not', () => {
  expect(nameObject({ kind: 'table', name: 'my long table', table: 'my long table' })).toBe('table "my long table"')
  expect(nameObject({ kind: 'index', name: 'by_day', table: 'my long table' })).toBe('index by_day of "my long table"')
  const object = { kind: 'index', name: 'by day', table: 'notes' } as const
  expect(
    writeSentence({
      rule: 'row-missing-from-index',
      bearing: 'damage',
      object,
      page: null,
      pages: [],
      total: 3_000,
      details: [],
    }),
  ).toBe('3,000 rows of notes are missing from index "by day"')
})

test.each([
  [0, '0 rows'],
  [1, '1 row'],
  [999, '999 rows'],
  [1_000, '1,000 rows'],
  [12_345_678, '12,345,678 rows'],
])('%s is counted as %s', (total, said) => {
  expect(count(total, 'row')).toBe(said)
})
