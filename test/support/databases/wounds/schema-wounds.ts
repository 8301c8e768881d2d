/** Wounds of the rows of sqlite_schema. */

import Database from 'better-sqlite3'
import { recordBody } from '../surgeon.ts'
import type { EditableDatabase } from '../surgeon.ts'
import type { Wound } from './wound.ts'

export const schemaWounds: readonly Wound[] = [
  {
    name: 'schema row garbled',
    accounting: ['record-malformed'],
    sqliteSees: true,
    make: (database) => {
      const at = recordBody(database, 1, 1)
      database.edit(1, (bytes) => bytes.fill(0xff, at - 4, at + 30))
      return `page 1, byte ${at}`
    },
  },
  {
    name: 'root page out of range',
    accounting: ['page-out-of-range'],
    sqliteSees: true,
    make: (database) => root(database, 'users', 60_000),
  },
  {
    name: 'two tables with one root',
    accounting: ['page-used-twice'],
    sqliteSees: true,
    make: (database) => root(database, 'users', database.root('blobs')),
  },
  {
    name: 'index without its root',
    accounting: ['page-unreadable'],
    sqliteSees: true,
    make: (database) => root(database, 'users_name', database.root('blobs')),
  },
]

/** Changes a root page in the schema. */
function root(database: EditableDatabase, name: string, to: number): string {
  const db = new Database(database.path)
  try {
    db.unsafeMode(true)
    db.pragma('writable_schema=ON')
    db.prepare('UPDATE sqlite_schema SET rootpage = ? WHERE name = ?').run(to, name)
  } finally {
    db.close()
  }
  return `root page of ${name} is ${to} instead of ${database.root(name)}`
}
