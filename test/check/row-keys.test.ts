/** How findings name rows of tables WITHOUT ROWID whose keys JSON or a report cannot show as they are. */
import { expect, test } from 'vitest'
import { diagnose } from '../../src/diagnosis/diagnose.ts'
import type { Finding } from '../../src/model/result/finding.ts'
import { makeFolder } from '../support/cli/folder.ts'
import { create } from '../support/databases/create-database.ts'
import { EditableDatabase } from '../support/databases/surgeon.ts'
import { bareFileContext } from '../support/differential/engines.ts'
import { readInProcess } from '../support/read-in-process.ts'

/** The findings if the index `i` of the only table is as old as before `change`. */
async function findingsOfStaleIndex(fill: string, change: string): Promise<readonly Finding[]> {
  using folder = makeFolder()
  const path = folder.in('made.db')
  create(path, 65_536, (db) => db.exec(fill))
  let page: Buffer
  {
    using before = new EditableDatabase(path)
    page = before.read(before.root('i'))
  }
  expect(diagnose(await readInProcess(path), bareFileContext).findings).toEqual([])
  create(path, 65_536, (db) => db.exec(change))
  {
    using after = new EditableDatabase(path)
    after.write(after.root('i'), page)
  }
  return diagnose(await readInProcess(path), bareFileContext).findings
}

test('keys that differ only behind what a report shows belong to different rows', async () => {
  const key = `hex(zeroblob(800))`
  const findings = await findingsOfStaleIndex(
    `CREATE TABLE t(k TEXT PRIMARY KEY, v) WITHOUT ROWID; CREATE INDEX i ON t(v);
      INSERT INTO t VALUES(${key} || 'a', 1), (${key} || 'b', 2)`,
    `DELETE FROM t WHERE v = 2; INSERT INTO t VALUES(${key} || 'c', 2)`,
  )
  expect(findings.map(({ rule, total }) => [rule, total])).toEqual([
    ['entry-without-row', 1],
    ['row-missing-from-index', 1],
  ])
})

test('infinite keys are named, because JSON would show null for both', async () => {
  const findings = await findingsOfStaleIndex(
    'CREATE TABLE t(k REAL, l, v, PRIMARY KEY(k, l)) WITHOUT ROWID; CREATE INDEX i ON t(v)',
    "INSERT INTO t VALUES(9e999, 1, 1), (-9e999, 1e300, 2), (1.5, x'00ff', 3), (1, '', 4)",
  )
  expect(findings.map(({ rule, rows }) => [rule, rows])).toEqual([
    [
      'row-missing-from-index',
      [
        ['-Infinity', 1e300],
        ['Infinity', 1],
        [1, ''],
        [1.5, { blob: '00ff' }],
      ],
    ],
  ])
})
