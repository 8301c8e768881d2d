/** A statement of the schema that is no SQL any more, in a file whose schema can be read otherwise. */
import { beforeEach, afterEach, expect, it } from 'vitest'
import { makeFolder, type Folder } from '../../support/cli/folder.ts'
import { checkOfResult, exactRows } from '../../support/merge/merge-in-process.ts'
import { makeWounded, mergeWounded } from '../../support/merge/wounded-live.ts'

let folder: Folder
beforeEach(() => {
  folder = makeFolder()
})
afterEach(() => folder[Symbol.dispose]())

const before = `CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT, b INT); CREATE INDEX t_a ON t(a);
  CREATE VIEW v AS SELECT a FROM t; CREATE TABLE u(k TEXT PRIMARY KEY, w) WITHOUT ROWID; CREATE TABLE old(x);
  NUMBERS INSERT INTO t SELECT i, 'name ' || i, i FROM n; NUMBERS INSERT INTO u SELECT 'k' || i, i FROM n`

/** @param after what the application did since the backup @param statement the beginning of the one that is damaged */
const makeFiles = (after: string, statement: string): void =>
  makeWounded(folder, before, `DROP TABLE old; ${after}`, (patient) => {
    patient.edit(1, (bytes) => {
      bytes.write('CREATEX', bytes.indexOf(statement))
    })
  })

const newer = `NUMBERS INSERT INTO t SELECT i + 3000, 'new ' || i, -i FROM n;
  NUMBERS INSERT INTO u SELECT 'new ' || i, -i FROM n; UPDATE t SET b = 7 WHERE id = 5; DELETE FROM u WHERE k = 'k9'`

it.each(['CREATE TABLE t(', 'CREATE TABLE u(', 'CREATE INDEX t_a', 'CREATE VIEW v'])(
  'no row is lost where that of the backup takes its place: %s',
  async (statement) => {
    makeFiles(newer, statement)
    using merged = await mergeWounded(folder)
    expect(exactRows(folder.in('result'), 't')).toEqual(exactRows(folder.in('whole'), 't'))
    expect(exactRows(folder.in('result'), 'u', 'k')).toEqual(exactRows(folder.in('whole'), 'u', 'k'))
    expect(merged.losses.filter(({ table }) => table !== 'old')).toEqual([])
    expect(checkOfResult(folder.in('result'))).toBe('ok')
  },
)

it('rows with more columns than the backup knows are counted as lost', async () => {
  makeFiles(
    `ALTER TABLE t ADD COLUMN c; NUMBERS INSERT INTO t SELECT i + 3000, 'new ' || i, -i, 1 FROM n`,
    'CREATE TABLE t(',
  )
  using merged = await mergeWounded(folder)
  const all = [...exactRows(folder.in('whole'), 't').keys()]
  const found = exactRows(folder.in('result'), 't')
  const missing = all.filter((id) => !found.has(id)).length
  expect(missing).toBeGreaterThan(200)
  const lost = merged.losses.map((loss) => loss.lost)
  expect(lost.includes(null) || lost.reduce<number>((sum, one) => sum + (one ?? 0), 0) >= missing).toBe(true)
  expect(merged.losses.map(({ table }) => table)).toContain('holdfast_orphaned (rows that fit no table)')
})

it('nothing is merged if the statement is of a newer table: which pages are whose is not certain', async () => {
  makeFiles(
    `CREATE TABLE fresh(id INTEGER PRIMARY KEY, p TEXT, q TEXT, r TEXT, s TEXT);
    NUMBERS INSERT INTO fresh SELECT i, 'p', 'q', 'r', i FROM n`,
    'CREATE TABLE fresh',
  )
  await expect(mergeWounded(folder)).rejects.toMatchObject({
    code: 'REMEDY_REFUSED',
    hint: expect.stringContaining('holdfast salvage'),
  })
})
