/** Wounds of the rows of sqlite_schema. */

import Database from 'better-sqlite3'
import { recordBody } from '../surgeon.ts'
import type { Patient } from '../surgeon.ts'
import type { Wound } from './wound.ts'

export const schemaWounds: readonly Wound[] = [
  {
    name: 'schema row garbled',
    accounting: ['record-malformed'],
    sqliteSees: true,
    make: (patient) => {
      const at = recordBody(patient, 1, 1)
      patient.edit(1, (bytes) => bytes.fill(0xff, at - 4, at + 30))
      return `page 1, byte ${at}`
    },
  },
  {
    name: 'root page out of range',
    accounting: ['page-out-of-range'],
    sqliteSees: true,
    make: (patient) => root(patient, 'users', 60_000),
  },
  {
    name: 'two tables with one root',
    accounting: ['page-used-twice'],
    sqliteSees: true,
    make: (patient) => root(patient, 'users', patient.root('blobs')),
  },
  {
    name: 'index without its root',
    accounting: ['page-unreadable'],
    sqliteSees: true,
    make: (patient) => root(patient, 'users_name', patient.root('blobs')),
  },
]

/** Changes a root page in the schema. */
function root(patient: Patient, name: string, to: number): string {
  const db = new Database(patient.path)
  try {
    db.unsafeMode(true)
    db.pragma('writable_schema=ON')
    db.prepare('UPDATE sqlite_schema SET rootpage = ? WHERE name = ?').run(to, name)
  } finally {
    db.close()
  }
  return `root page of ${name} is ${to} instead of ${patient.root(name)}`
}
