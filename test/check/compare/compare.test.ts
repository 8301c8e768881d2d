/** Two files by content (I3.2): they are equal if only their layout differs. */
import { copyFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { answersOf, fill, keysOf, tableOf, useComparedDatabases } from '../../support/check/compared-databases.ts'
import { compareInProcess, openInProcess } from '../../support/compare-in-process.ts'
import type { Fill } from '../../support/databases/create-database.ts'
import { recipes } from '../../support/databases/recipes.ts'
import { createReserved } from '../../support/databases/special-layouts.ts'
import { readInProcess } from '../../support/read-in-process.ts'

const { changed, fresh, make } = useComparedDatabases()

describe('the content digests of a comparison are those of the check', () => {
  test.each(recipes)('$name', async ({ build }) => {
    for (const pageSize of [512, 4096]) {
      const path = fresh()
      build(path, pageSize)
      const { content } = await readInProcess(path)
      using reader = openInProcess(path)
      await reader.ask<'recover'>({ step: 'recover', keep: false }, 1000)
      const { plan } = await reader.ask<'schema'>({ step: 'schema' }, 1000)
      const digests: Record<string, string> = {}
      for (const [tree, one] of (plan?.trees ?? []).entries()) {
        if (one.kind === 'index' || one.object.name.startsWith('sqlite_')) continue
        await reader.ask<'beginTable'>(
          {
            step: 'beginTable',
            tree,
            reading: { identity: tree % 2 === 0 ? 'key' : 'content', asUtf8: false, key: [1, 2] },
            rowsMax: 10,
            memoryBytesMax: 1e9,
          },
          1000,
        )
        digests[one.object.name] = (await reader.ask<'sumRows'>({ step: 'sumRows' }, 1000)).digest
      }
      expect(digests).toEqual(Object.fromEntries(content.map(({ name, digest }) => [name, digest])))
    }
  })
})

describe('the same rows in another layout are equal', () => {
  test.each(recipes)('$name: after VACUUM, and with another page size', async ({ build }) => {
    const path = fresh()
    build(path, 1024)
    const packed = changed(path, 'VACUUM')
    const other = fresh()
    const db = new Database(path)
    db.pragma('page_size=8192')
    db.exec(`VACUUM INTO '${other}'`)
    db.close()
    for (const copy of [packed, other]) {
      const comparison = await compareInProcess(path, copy)
      expect([new Set(Object.values(answersOf(comparison))), comparison.schemaDifferences]).toEqual([
        comparison.tables.length === 0 ? new Set() : new Set(['equal']),
        [],
      ])
    }
  })

  test('reserved bytes, WAL against rollback journal, auto-vacuum', async () => {
    const plain = make(fill)
    const reserved = fresh()
    createReserved(reserved, 2048, 32, fill)
    const wal = make((db) => {
      db.pragma('journal_mode=WAL')
      fill(db)
    })
    const auto = make(fill, { pragmas: ['auto_vacuum=FULL'] })
    for (const other of [reserved, wal, auto])
      expect(answersOf(await compareInProcess(plain, other))).toEqual({
        named: 'equal',
        loose: 'equal',
        keyed: 'equal',
      })
  })

  test('commits that are still in the WAL count', async () => {
    const path = make((db) => {
      db.pragma('journal_mode=WAL')
      fill(db)
    })
    const behind = fresh()
    const ahead = fresh()
    const db = new Database(path)
    db.pragma('wal_autocheckpoint=0')
    copyFileSync(path, behind)
    db.exec('UPDATE named SET v = 0 WHERE id = 4')
    for (const part of ['', '-wal']) copyFileSync(path + part, ahead + part)
    db.close()
    expect(keysOf(tableOf(await compareInProcess(behind, ahead), 'named').differing)).toEqual([[], [], [4]])
    expect(answersOf(await compareInProcess(path, ahead))).toEqual({ named: 'equal', loose: 'equal', keyed: 'equal' })
  })

  test('UTF-16 against UTF-8: texts are compared, not their bytes; differences are found', async () => {
    const letters: Fill = (db) => {
      fill(db)
      db.exec(
        "CREATE TABLE texts(id INTEGER PRIMARY KEY, t TEXT); INSERT INTO texts VALUES(1, 'gr\u00fcn'), " +
          "(2, '\ud83d\ude42 \u6587'), (3, ''), (4, NULL), (5, 'plain'); CREATE TABLE k(t TEXT PRIMARY KEY, " +
          "n) WITHOUT ROWID; INSERT INTO k VALUES('gr\u00fcn', 1), ('\u6587', 2)",
      )
      db.exec(
        "ALTER TABLE texts ADD COLUMN later TEXT DEFAULT 'sp\u00e4t'; INSERT INTO texts VALUES(6, 'new', 'sp\u00e4t')",
      )
    }
    const [utf8, le, be] = ['UTF-8', 'UTF-16le', 'UTF-16be'].map((encoding) =>
      make(letters, { pragmas: [`encoding="${encoding}"`] }),
    ) as [string, string, string]
    for (const [a, b] of [
      [utf8, le],
      [be, utf8],
      [le, be],
    ] as const) {
      const comparison = await compareInProcess(a, b)
      expect(new Set(Object.values(answersOf(comparison)))).toEqual(new Set(['equal']))
      for (const { digest } of comparison.tables) expect(digest.a).toBe(digest.b)
    }
    const other = changed(le, "UPDATE texts SET t = 'gelb' WHERE id = 1; DELETE FROM k WHERE n = 2")
    const comparison = await compareInProcess(utf8, other)
    expect([keysOf(tableOf(comparison, 'texts').differing), keysOf(tableOf(comparison, 'k').differing)]).toEqual([
      [[], [], [1]],
      [[['\u6587']], [], []],
    ])
  })

  test('rows that are older than a column, and the same rows written again', async () => {
    const old = changed(
      make(fill),
      "ALTER TABLE named ADD COLUMN extra TEXT DEFAULT 'none'; ALTER TABLE named ADD " +
        'COLUMN more REAL DEFAULT 2; ALTER TABLE keyed ADD COLUMN empty',
    )
    const anew = changed(old, 'UPDATE named SET extra = extra, more = more; UPDATE keyed SET empty = NULL')
    const comparison = await compareInProcess(old, anew)
    expect(answersOf(comparison)).toEqual({ named: 'equal', loose: 'equal', keyed: 'equal' })
  })

  test(
    '1 and 1.0 are the same to SQLite, in a column without a type and in a ' +
      'REAL column; 1 and the text 1 are not, nor NULL and 0',
    async () => {
      const numbers = (values: string): string =>
        make((db) => db.exec(`CREATE TABLE t(id INTEGER PRIMARY KEY, free, r REAL); INSERT INTO t VALUES ${values}`))
      const whole = numbers('(1, 1, 1), (2, NULL, NULL), (3, -0.0, 0)')
      expect(answersOf(await compareInProcess(whole, numbers('(1, 1.0, 1.0), (2, NULL, NULL), (3, 0, -0.0)')))).toEqual(
        { t: 'equal' },
      )
      expect(
        keysOf(tableOf(await compareInProcess(whole, numbers("(1, '1', 1), (2, NULL, 0), (3, 0, 0)")), 't').differing),
      ).toEqual([[], [], [1, 2]])
    },
  )
})
