/** A page that two trees use: both are named, and the class of the damage follows from what they keep there. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { diagnose } from '../../src/diagnosis/diagnose.ts'
import type { Finding } from '../../src/model/result/finding.ts'
import { create } from '../support/databases/create-database.ts'
import { EditableDatabase } from '../support/databases/surgeon.ts'
import { bareFileContext } from '../support/differential/engines.ts'
import { readInProcess } from '../support/read-in-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'double-use-'))
afterAll(() => rmSync(folder, { recursive: true }))
const path = join(folder, 'made.db')

/**
 * A file whose free list names another page as its first leaf. @param page chooses that page
 */
async function namedFree(
  page: (database: EditableDatabase) => number,
): Promise<{ readonly damage: string; readonly findings: readonly Finding[]; readonly page: number }> {
  rmSync(path, { force: true })
  create(path, 1024, (db) => {
    db.exec(
      'CREATE TABLE t(a, b); CREATE INDEX t_a ON t(a); CREATE TABLE gone(a); CREATE VIRTUAL TABLE ft USING fts5(x)',
    )
    for (const table of ['t', 'gone'])
      db.exec(
        'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i ' +
          `< 500) INSERT INTO ${table}(a) SELECT i * 7919 FROM n`,
      )
    db.exec("INSERT INTO ft SELECT 'word' || a FROM t; DROP TABLE gone")
  })
  let named = 0
  {
    using database = new EditableDatabase(path)
    named = page(database)
    database.write32At((database.header.freelistTrunk - 1) * 1024 + 8, named)
  }
  const { damage, findings } = diagnose(await readInProcess(path), bareFileContext)
  return { damage, findings, page: named }
}

const twice = (findings: readonly Finding[]): readonly unknown[] =>
  findings
    .filter(({ rule }) => rule === 'page-used-twice')
    .map(({ object, other, page }) => ({ object: object.name, other: other?.name ?? null, page }))

test.each([
  ['a table', (database: EditableDatabase) => database.leaf('t'), 't', 'table'],
  ['an index', (database: EditableDatabase) => database.leaf('t_a'), 't_a', 'table'],
  ['the root of a table', (database: EditableDatabase) => database.root('t'), 't', 'table'],
  ['the text of a full-text index', (database: EditableDatabase) => database.leaf('ft_content'), 'ft_content', 'table'],
  ['the schema', () => 1, 'sqlite_schema', 'schema'],
] as const)('the free list names a page of %s', async (_, choose, owner, kind) => {
  const { damage, findings, page } = await namedFree(choose)
  expect(twice(findings)).toEqual([{ object: owner, other: 'free list', page }])
  expect(damage).toBe(kind)
  // The entries of that page exist. SQLite counts without them, which is no finding.
  expect(findings.map(({ rule }) => rule)).not.toContain('index-count-differs')
  expect(findings.find(({ rule }) => rule === 'page-used-twice')?.text).toContain(
    owner === 'sqlite_schema' ? 'the schema' : owner,
  )
})

test('the free list names a page twice: no data is concerned', async () => {
  const { damage, findings, page } = await namedFree((database) =>
    database.read(database.header.freelistTrunk).readUInt32BE(12),
  )
  expect([damage, twice(findings)]).toEqual(['structure', [{ object: 'free list', other: null, page }]])
})

test('two trees use one page', async () => {
  const { findings } = await (async () => {
    await namedFree((database) => database.read(database.header.freelistTrunk).readUInt32BE(8))
    using database = new EditableDatabase(path)
    const leaf = database.leaf('t')
    database.edit(database.root('ft_content'), (bytes, bTree) => {
      bytes.writeUInt32BE(leaf, bTree.leaf ? 0 : 8)
    })
    return diagnose(await readInProcess(path), bareFileContext)
  })()
  expect(twice(findings)).toContainEqual(expect.objectContaining({ object: 'ft_content', other: 't' }))
})
