/** Entries of damaged indexes that are hard to compare with the rows of the new file. */
import { describe, expect, test } from 'vitest'
import { makeFolder } from '../../support/cli/folder.ts'
import type { EditableDatabase } from '../../support/databases/surgeon.ts'
import {
  droppedEntries,
  integrityBySqlite,
  listedKeys,
  salvageNames,
} from '../../support/salvage/salvage-in-process.ts'
import { replaceText, salvageWounded, selectSalvaged } from '../../support/salvage/wounded-table.ts'

const table = 'CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT, b REAL)'

describe('a value from which SQLite cannot compute the entry', () => {
  const schema = `${table}; CREATE INDEX i ON t(json_extract(a, '$.x'))`
  const nameOf = (id: number): string => JSON.stringify({ x: `name${String(id).padStart(4, '0')}` })
  const wound = replaceText('t', '{"x":"name0017', '{"x""name0017')

  test('its row stays, the index is named as lost, and what it held is listed', () => {
    using folder = makeFolder()
    const outcome = salvageWounded(folder, schema, wound, nameOf)
    expect(integrityBySqlite(folder.in(salvageNames.result))).toBe('ok')
    expect(outcome.tables).toMatchObject([{ rows: 200, doubted: 1, unreadable: 0 }])
    expect(outcome.lostObjects).toMatchObject([{ kind: 'index', name: 'i' }])
    expect(droppedEntries(folder)).toEqual([{ index: 'i', key: 17, columns: ['(computed)'], values: ['name0017'] }])
  })

  test('so it is if the entry would be too large for SQLite', () => {
    using folder = makeFolder()
    const outcome = salvageWounded(
      folder,
      `${table}; CREATE INDEX i ON t(length(zeroblob(CAST(a AS INT))))`,
      replaceText('t', '00000000017', '99999999917'),
      (id) => String(id).padStart(11, '0'),
    )
    expect(outcome.tables).toMatchObject([{ rows: 200, doubted: 1, unreadable: 0 }])
    expect(outcome.lostObjects).toMatchObject([{ kind: 'index', name: 'i' }])
    expect(droppedEntries(folder)).toEqual([{ index: 'i', key: 17, columns: ['(computed)'], values: [17] }])
  })

  test('it does not keep rows of a UNIQUE key from being moved', () => {
    using folder = makeFolder()
    const both = (patient: EditableDatabase): void => {
      wound(patient)
      replaceText('t', 'name0033', 'name0034')(patient)
    }
    const outcome = salvageWounded(folder, `${schema}; CREATE UNIQUE INDEX j ON t(a)`, both, nameOf)
    expect(outcome.contradicted).toEqual([{ index: 'j', table: 't', rows: 1, undecided: 0 }])
    expect(selectSalvaged(folder, 'SELECT id FROM holdfast_orphaned_t')).toEqual([[33]])
  })
})

test('a key whose collation ignores case: the row is named once, and the entry has what was changed', () => {
  using folder = makeFolder()
  const schema =
    'CREATE TABLE t(id INT, a TEXT COLLATE NOCASE PRIMARY KEY, b REAL) WITHOUT ROWID; CREATE INDEX i ON t(b)'
  const outcome = salvageWounded(folder, schema, replaceText('t', 'name0017', 'nAme0017'))
  expect(outcome.tables).toMatchObject([{ rows: 200, doubted: 1, unreadable: 0 }])
  expect(droppedEntries(folder)).toEqual([{ index: 'i', key: ['name0017'], columns: ['b'], values: [2.125] }])
})

test('an entry without a rowid is listed, and is no row', () => {
  using folder = makeFolder()
  const outcome = salvageWounded(folder, `${table}; CREATE INDEX i ON t(a)`, (patient) => {
    for (const page of patient.pages('i'))
      patient.edit(page, (bytes) => {
        const at = bytes.indexOf('name0150')
        if (at >= 0) bytes[at - 1] = 0x11 // A text of two bytes, no integer of two bytes.
      })
  })
  expect(outcome.tables).toMatchObject([{ rows: 200, doubted: 1, unreadable: 0 }])
  expect(droppedEntries(folder)).toEqual([{ index: 'i', key: null, columns: ['a'], values: ['name0150'] }])
})

test('a row that indexes brought back and that loses its UNIQUE key is counted once', () => {
  using folder = makeFolder()
  const outcome = salvageWounded(
    folder,
    'CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT, b REAL); CREATE UNIQUE INDEX i ON t(a, b)',
    (patient) => {
      const leaf = patient.leaf('t')
      const lost = firstRow(patient, leaf)
      const before = lost - 1
      patient.edit(patient.pages('t')[patient.pages('t').indexOf(leaf) - 1] ?? 0, (bytes) =>
        become(bytes, before, lost),
      )
      for (const page of patient.pages('i')) patient.edit(page, (bytes) => become(bytes, before, lost))
      patient.write(leaf, Buffer.alloc(1024))
    },
  )
  const [t] = outcome.tables
  expect(outcome.contradicted).toMatchObject([{ rows: 1, undecided: 1 }])
  expect(t).toMatchObject({ rows: 199, orphaned: 1, unreadable: 0 })
  expect(listedKeys(folder, 'from-index')).toHaveLength(t?.fromIndex ?? 0)
  const orphaned = listedKeys(folder, 'orphaned')
  expect(listedKeys(folder, 'from-index').filter((key) => orphaned.includes(key))).toEqual([])
})

/** The id of the first row on a leaf, by its name. */
const firstRow = (patient: EditableDatabase, leaf: number): number => {
  const names = [
    ...patient
      .read(leaf)
      .toString('latin1')
      .matchAll(/name(\d{4})/g),
  ].map(([, id]) => Number(id))
  return Math.min(...names)
}

/** Gives a row or an entry the values of another one. */
function become(bytes: Buffer, id: number, other: number): void {
  const at = bytes.indexOf(`name${String(id).padStart(4, '0')}`)
  if (at < 0) return
  bytes.write(`name${String(other).padStart(4, '0')}`, at)
  bytes.writeDoubleBE(other / 8, at + 8)
}

test('a UNIQUE index of which no statement can name the rows is lost, and the new file is sound', () => {
  using folder = makeFolder()
  const outcome = salvageWounded(
    folder,
    'CREATE TABLE t(rowid, oid TEXT, _rowid_); CREATE UNIQUE INDEX i ON t(oid)',
    replaceText('t', 'name0017', 'name0018'),
  )
  expect(integrityBySqlite(folder.in(salvageNames.result))).toBe('ok')
  expect(outcome.lostObjects).toMatchObject([{ kind: 'index', name: 'i' }])
  expect(outcome.contradicted).toEqual([])
  expect(outcome.tables).toMatchObject([{ rows: 200 }])
})
