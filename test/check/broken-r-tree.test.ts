import { expect, test } from 'vitest'
import { diagnose } from '../../src/diagnosis/diagnose.ts'
import { bareFileContext } from '../support/differential/engines.ts'
import { useSnapshotFolder } from '../support/snapshot-folder.ts'

const { make, check } = useSnapshotFolder()

test.each([
  ['nothing', 'SELECT 1', 'none', []],
  ['the root node is missing', 'DELETE FROM boxes_node WHERE nodeno = 1', 'table', ['rtree-broken boxes']],
  ['another node is missing', 'DELETE FROM boxes_node WHERE nodeno = 3', 'table', ['rtree-broken boxes']],
  ['a mapping is missing', 'DELETE FROM boxes_rowid WHERE rowid = 5', 'table', ['rtree-broken boxes']],
] as const)(
  'an R-Tree at which SQLite stops is named alone, without the schema: %s',
  async (_, wound, damage, named) => {
    make((db) => {
      db.unsafeMode(true)
      db.exec(`
      CREATE VIRTUAL TABLE boxes USING rtree(id, x0, x1);
      WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400) INSERT INTO boxes SELECT i, i, i + 1 FROM n;
      CREATE TABLE beside(a, b); CREATE INDEX beside_a ON beside(a); INSERT INTO beside VALUES(1, 2);
      ${wound}`)
    })
    const diagnosis = diagnose(await check(), bareFileContext)
    expect(diagnosis.damage).toBe(damage)
    expect(diagnosis.findings.map(({ rule, object }) => `${rule} ${object.name}`)).toEqual(named)
  },
)
