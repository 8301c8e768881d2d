/** Wounds of whole pages, and of their headers. */

import { headerOffset } from '../../../../src/sqlite/page.ts'
import type { EditableDatabase } from '../surgeon.ts'
import { header32 } from './wound.ts'
import type { Wound } from './wound.ts'

export const pageWounds: readonly Wound[] = [
  {
    name: 'table page zeroed',
    accounting: ['page-unreadable'],
    sqliteSees: true,
    make: (database) => zero(database, database.leaf('events')),
  },
  {
    name: 'index page zeroed',
    accounting: ['page-unreadable'],
    sqliteSees: true,
    make: (database) => zero(database, database.leaf('events_at')),
  },
  {
    name: 'interior page zeroed',
    accounting: ['page-unreadable', 'page-unowned'],
    sqliteSees: true,
    make: (database) => zero(database, database.root('events')),
  },
  {
    name: 'page of another tree in the place of a leaf',
    accounting: ['page-unreadable'],
    sqliteSees: true,
    make: (database) => {
      const page = database.leaf('events')
      database.write(page, database.read(database.leaf('events_kind')))
      return `page ${page}`
    },
  },
  {
    name: 'too many cells',
    accounting: ['page-unreadable'],
    sqliteSees: true,
    make: (database) => {
      const page = database.leaf('events')
      database.edit(page, (bytes) => bytes.writeUInt16BE(60_000, headerOffset(page) + 3))
      return `page ${page}`
    },
  },
  {
    name: 'wrong count of fragmented bytes',
    accounting: [],
    sqliteSees: true,
    make: (database) => {
      const page = database.leaf('events')
      database.edit(page, (bytes) => {
        bytes[headerOffset(page) + 7] = 33
      })
      return `page ${page}`
    },
  },
  {
    name: 'unused page',
    accounting: ['page-unowned'],
    sqliteSees: true,
    make: (database) => {
      const pages = database.bytes / database.layout.pageSize
      database.truncate(database.bytes + database.layout.pageSize)
      return header32(database, 28, pages + 1)
    },
  },
]

function zero(database: EditableDatabase, page: number): string {
  database.write(page, Buffer.alloc(database.layout.pageSize))
  return `page ${page} zeroed`
}
