import { expect, test } from 'vitest'
import { readIndexDefinition } from '../../../../src/check/reader/schema/index-definition.ts'

test.each([
  ['CREATE INDEX i ON t(a)', ['a'], null],
  [
    'CREATE UNIQUE INDEX IF NOT EXISTS "on (" ON "t(,"("a,b" COLLATE nocase DESC, lower(c, \'),\') , d+1 asc)',
    ['"a,b" COLLATE nocase', "lower(c, '),')", 'd+1'],
    null,
  ],
  ['CREATE INDEX i ON t(a) WHERE b IS NOT NULL AND c IN (1, 2)', ['a'], 'b IS NOT NULL AND c IN (1, 2)'],
  [
    'create index [on] on `t` (/* ( */ a -- ,(\n, (b || c) collate "rtrim") where(a > 1);',
    ['a', '(b || c) collate "rtrim"'],
    '(a > 1)',
  ],
  ['CREATE INDEX größe ON maße(länge * 2)', ['länge * 2'], null],
  ['CREATE INDEX i ON t("asc", desc)', ['"asc"', 'desc'], null],
] as const)('%s', (sql, terms, where) => {
  expect(readIndexDefinition(sql)).toEqual({ terms, where })
})

test.each([
  '',
  'CREATE INDEX i ON t',
  'CREATE INDEX i ON t(',
  'CREATE INDEX i ON t(a,)',
  'CREATE INDEX i ON t(a) WHERE',
  'CREATE INDEX i ON t(a) nonsense',
])('%j is none', (sql) => {
  expect(readIndexDefinition(sql)).toBeNull()
})
