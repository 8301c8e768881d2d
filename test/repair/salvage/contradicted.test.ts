/** Rows that indexes contradict: each is named, with the values that the entries hold. */
import { describe, expect, test } from 'vitest'
import { makeFolder, type Folder } from '../../support/cli/folder.ts'
import type { EditableDatabase } from '../../support/databases/surgeon.ts'
import {
  droppedEntries,
  integrityBySqlite,
  listedKeys,
  salvageNames,
  type salvageInProcess,
} from '../../support/salvage/salvage-in-process.ts'
import { replaceText, salvageWounded, selectSalvaged } from '../../support/salvage/wounded-table.ts'

function salvaged(
  folder: Folder,
  schema: string,
  wound: (patient: EditableDatabase) => void,
): ReturnType<typeof salvageInProcess> {
  const outcome = salvageWounded(folder, schema, wound)
  expect(integrityBySqlite(folder.in(salvageNames.result))).toBe('ok')
  return outcome
}

const table = 'CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT, b REAL)'
const indexes = [
  ['a plain index', `${table}; CREATE INDEX i ON t(a)`, 17, ['a'], ['name0017']],
  ['one of two indexes', `${table}; CREATE INDEX i ON t(a); CREATE INDEX j ON t(b)`, 17, ['a'], ['name0017']],
  ['a partial index', `${table}; CREATE INDEX i ON t(a, b) WHERE b > 1`, 17, ['a', 'b'], ['name0017', 2.125]],
  ['an index of expressions', `${table}; CREATE INDEX i ON t(upper(a))`, 17, ['(computed)'], ['NAME0017']],
  [
    'an index of a table WITHOUT ROWID',
    'CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT, b REAL) WITHOUT ROWID; CREATE INDEX i ON t(a)',
    [17],
    ['a'],
    ['name0017'],
  ],
] as const

describe('a changed byte in a value of a row', () => {
  test.each(indexes)('%s has the value: row and entry are named', (_, schema, key, columns, values) => {
    using folder = makeFolder()
    const outcome = salvaged(folder, schema, replaceText('t', 'name0017', 'nbme0017'))
    expect(outcome.tables).toMatchObject([{ rows: 200, orphaned: 0, doubted: 1, unreadable: 0 }])
    expect(droppedEntries(folder)).toEqual([{ index: 'i', key, columns, values }])
    expect(selectSalvaged(folder, 'SELECT a FROM t WHERE id = 17')).toEqual([['nbme0017']])
  })

  test('without an index of the column, nobody can see it', () => {
    using folder = makeFolder()
    const outcome = salvaged(folder, `${table}; CREATE INDEX j ON t(b)`, replaceText('t', 'name0017', 'nbme0017'))
    expect(outcome.tables).toMatchObject([{ rows: 200, doubted: 0 }])
    expect(droppedEntries(folder)).toEqual([])
  })
})

test('an entry without a row, while there are as many rows as entries: its key and values are listed', () => {
  using folder = makeFolder()
  const outcome = salvaged(folder, `${table}; CREATE INDEX i ON t(a)`, (patient) => {
    const last = patient.pages('t').at(-1) ?? 0
    // The rowid 200 is a varint of two bytes, and becomes 201.
    patient.edit(last, (bytes) => {
      const at = bytes.lastIndexOf(Buffer.from([0x81, 0x48]), bytes.indexOf('name0200'))
      bytes[at + 1] = 0x49
    })
  })
  expect(outcome.tables).toMatchObject([{ rows: 200, doubted: 1, unreadable: 1 }])
  expect([listedKeys(folder, 'doubted'), listedKeys(folder, 'unreadable')]).toEqual([['t 201'], ['t 200']])
  expect(droppedEntries(folder)).toEqual([{ index: 'i', key: 200, columns: ['a'], values: ['name0200'] }])
})

describe('two rows of one UNIQUE key', () => {
  const unique = 'CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT, b REAL); CREATE UNIQUE INDEX i ON t(a)'
  const both = replaceText('t', 'name0017', 'name0018')

  test('the one stays that the index names, and the value that it holds of the other is listed', () => {
    using folder = makeFolder()
    const outcome = salvaged(folder, unique, both)
    expect(outcome.contradicted).toEqual([{ index: 'i', table: 't', rows: 1, undecided: 0 }])
    expect(outcome.tables).toMatchObject([{ rows: 199, orphaned: 1, doubted: 0 }])
    expect(selectSalvaged(folder, "SELECT id FROM t WHERE a = 'name0018'")).toEqual([[18]])
    expect(selectSalvaged(folder, 'SELECT id, a FROM holdfast_orphaned_t')).toEqual([[17, 'name0018']])
    expect(droppedEntries(folder)).toEqual([{ index: 'i', key: 17, columns: ['a'], values: ['name0017'] }])
  })

  test('the UNIQUE index is lost, and another one contradicts one of them: that one goes', () => {
    using folder = makeFolder()
    const outcome = salvaged(folder, `${unique}; CREATE INDEX j ON t(a, b)`, (patient) => {
      both(patient)
      patient.write(patient.root('i'), Buffer.alloc(1024))
    })
    expect(outcome.contradicted).toEqual([{ index: 'i', table: 't', rows: 1, undecided: 0 }])
    expect(selectSalvaged(folder, 'SELECT id FROM holdfast_orphaned_t')).toEqual([[17]])
  })

  test('no index can be read: the first stays, and it is said that nothing decides', () => {
    using folder = makeFolder()
    const outcome = salvaged(folder, unique, (patient) => {
      both(patient)
      patient.write(patient.root('i'), Buffer.alloc(1024))
    })
    expect(outcome.contradicted).toEqual([{ index: 'i', table: 't', rows: 1, undecided: 1 }])
    expect(selectSalvaged(folder, 'SELECT id FROM holdfast_orphaned_t')).toEqual([[18]])
  })

  test('of a table WITHOUT ROWID', () => {
    using folder = makeFolder()
    const outcome = salvaged(
      folder,
      'CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT UNIQUE, b REAL) WITHOUT ROWID',
      both,
    )
    expect(outcome.contradicted).toMatchObject([{ rows: 1, undecided: 0 }])
    expect(selectSalvaged(folder, 'SELECT id FROM holdfast_orphaned_t')).toEqual([[17]])
  })
})
