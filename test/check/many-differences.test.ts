/** The search for differences in a file of more pages than one read takes. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, expect, test } from 'vitest'
import { create } from '../support/databases/create-database.ts'
import { readInProcess } from '../support/read-in-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'many-differences-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('in a table of several megabytes, exactly the rows that are missing from its index are named', async () => {
  const path = join(folder, 'large.db')
  create(path, 1024, (db) => {
    db.exec('CREATE TABLE t(id INTEGER PRIMARY KEY, a)')
    const insert = db.prepare('INSERT INTO t VALUES(?, ?)')
    db.transaction(() => {
      for (let i = 1; i <= 40_000; i++) insert.run(i, `${'a'.repeat(60)} ${i}`)
    })()
    // The index holds all rows but those; its statement says that it holds all.
    db.exec('CREATE INDEX t_a ON t(a) WHERE id % 40 <> 7')
    db.unsafeMode(true)
    db.pragma('writable_schema=ON')
    db.exec("UPDATE sqlite_schema SET sql = 'CREATE INDEX t_a ON t(a)' WHERE name = 't_a'")
  })
  const db = new Database(path)
  expect(db.pragma('page_count', { simple: true })).toBeGreaterThan(3 * 1024)
  db.close()
  const { facts } = await readInProcess(path)
  const found = facts.flatMap((fact) =>
    fact.kind === 'found' && fact.finding.source === 'census' ? [fact.finding] : [],
  )
  expect(found.map(({ rule, total }) => ({ rule, total }))).toEqual([{ rule: 'row-missing-from-index', total: 1000 }])
  expect(found[0]?.rows?.every((row) => Number(row) % 40 === 7)).toBe(true)
})
