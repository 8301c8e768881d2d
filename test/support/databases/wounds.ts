/** The varied database, which tests wound, and all its wounds. */

import { create, fillEvents } from './create-database.ts'
import { copyCached } from './database-cache.ts'
import { freeListWounds } from './wounds/free-list-wounds.ts'
import { headerWounds } from './wounds/header-wounds.ts'
import { pageWounds } from './wounds/page-wounds.ts'
import { pointerWounds } from './wounds/pointer-wounds.ts'
import { rowWounds } from './wounds/row-wounds.ts'
import { schemaWounds } from './wounds/schema-wounds.ts'
import type { Wound } from './wounds/wound.ts'

/** Creates a database with tables of several levels, four indexes, overflow chains and a free list. */
export const createVariedDatabase = (path: string, pageSize: number, autoVacuum: boolean): void =>
  copyCached(`varied ${pageSize} ${autoVacuum}`, path, (at) => createVariedDatabaseOnce(at, pageSize, autoVacuum))

function createVariedDatabaseOnce(path: string, pageSize: number, autoVacuum: boolean): void {
  create(
    path,
    pageSize,
    (db) => {
      fillEvents(2000 * Math.max(1, pageSize / 1024))(db)
      db.exec('CREATE TABLE blobs(id INTEGER PRIMARY KEY, body BLOB); CREATE TABLE trash(x)')
      const blob = db.prepare('INSERT INTO blobs VALUES(?, randomblob(?))')
      const trash = db.prepare('INSERT INTO trash VALUES(randomblob(?))')
      for (let i = 1; i <= 8; i++) blob.run(i, pageSize * i)
      db.exec('CREATE TABLE deep(key TEXT PRIMARY KEY) WITHOUT ROWID')
      const deep = db.prepare('INSERT INTO deep VALUES(?)')
      for (let i = 0; i < 200; i++) deep.run(String((i * 7919) % 1009).padStart(pageSize / 6, 'k'))
      for (let i = 1; i <= 20; i++) trash.run(pageSize)
      db.exec('DROP TABLE trash')
    },
    autoVacuum ? ['auto_vacuum=INCREMENTAL'] : [],
  )
}

export const wounds: readonly Wound[] = [
  ...rowWounds,
  ...pageWounds,
  ...pointerWounds,
  ...freeListWounds,
  ...headerWounds,
  ...schemaWounds,
]
