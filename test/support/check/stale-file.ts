/** A table page that went stale (a lost write): the indexes are newer, and what they hold is salvage. */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeEach, expect } from 'vitest'
import { diagnose } from '../../../src/diagnosis/diagnose.ts'
import type { Diagnosis } from '../../../src/model/result/verdict.ts'
import { create } from '../databases/create-database.ts'
import { EditableDatabase, recordBody } from '../databases/surgeon.ts'
import { context } from '../diagnosis.ts'
import { readInProcess } from '../read-in-process.ts'

export interface StaleFile {
  /** A file of its own for each test. */
  readonly path: string
  /** A table `t` with 300 rows. */
  make(schema: string, pragmas?: readonly string[]): void
  sql(statements: string): void
  /** After `change`, the leaf of `tree` that it is about becomes again what it was before. @returns the leaf */
  loseWrite(tree: string, change: string): number
  /** The id of a row on the leaf in the middle of the table. Another row comes before it on that leaf. */
  rowOnLeaf(): number
  conclude(showValues?: boolean): Promise<Diagnosis>
}

/** For the top of a test file. */
export function useStaleFile(): StaleFile {
  const folder = mkdtempSync(join(tmpdir(), 'salvage-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  let path = ''
  let made = 0
  beforeEach(() => {
    path = join(folder, `${++made}.db`)
  })
  const sql = (statements: string): void => {
    const db = new Database(path)
    db.exec(statements)
    db.close()
  }
  return {
    get path() {
      return path
    },
    sql,
    make(schema, pragmas = []) {
      create(
        path,
        1024,
        (db) => {
          db.exec(schema)
          const put = db.prepare('INSERT INTO t VALUES(?, ?, ?, ?)')
          db.transaction(() => {
            for (let i = 1; i <= 300; i++) put.run(i, `mail${i}`, i * 10, `note ${i}`)
          })()
        },
        pragmas,
      )
    },
    loseWrite(tree, change) {
      let leaf: number
      let before: Buffer
      {
        using database = new EditableDatabase(path)
        leaf = database.leaf(tree)
        before = database.read(leaf)
      }
      sql(change)
      using database = new EditableDatabase(path)
      expect(database.read(leaf).equals(before), 'the change must have touched the page').toBe(false)
      database.write(leaf, before)
      return leaf
    },
    rowOnLeaf() {
      using database = new EditableDatabase(path)
      const leaf = database.leaf('t')
      const text = database.read(leaf).toString('latin1', recordBody(database, leaf, 1))
      return Number(/note (\d+)/.exec(text)?.[1])
    },
    async conclude(showValues = false) {
      const copy = `${path}-copy`
      copyFileSync(path, copy)
      return diagnose(await readInProcess(copy, 'full', 'census', false, null, showValues), context)
    },
  }
}

export const salvageOf = ({ findings }: Diagnosis): readonly (readonly [string, string, unknown])[] =>
  findings
    .filter(({ salvage }) => salvage !== undefined)
    .map(({ rule, object, salvage }) => [rule, object.name, salvage])
