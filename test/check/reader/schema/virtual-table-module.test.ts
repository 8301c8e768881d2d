import { expect, test } from 'vitest'
import { moduleOf } from '../../../../src/check/reader/schema/virtual-table-module.ts'

test('the module is found whatever the name of the virtual table', () => {
  expect(
    [
      'CREATE VIRTUAL TABLE notes USING fts5(a)',
      'create virtual table "a using rtree(" using\n fts4',
      'CREATE VIRTUAL TABLE main.\'x\' USING "my ""module"""(1)',
      'CREATE VIRTUAL TABLE [a b] USING[rtree](id)',
      'CREATE TABLE x(a)',
      '',
      'CREATE VIRTUAL TABLE x USING',
    ].map((sql) => moduleOf(sql)),
  ).toEqual(['fts5', 'fts4', 'my "module"', 'rtree', null, null, null])
})
