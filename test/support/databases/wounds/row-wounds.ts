/** Wounds of single rows and index entries, and of the cells that hold them. */

import { cellOffset } from '../../../../src/sqlite/page.ts'
import { dropCell, recordBody } from '../surgeon.ts'
import type { EditableDatabase } from '../surgeon.ts'
import type { Wound } from './wound.ts'

export const rowWounds: readonly Wound[] = [
  {
    name: 'index entry removed',
    accounting: [],
    sqliteSees: true,
    make: (database) => {
      const page = leafWithoutFreeblocks(database, 'events_kind')
      dropCell(database, page, 3)
      return `entry 3 of page ${page} of events_kind`
    },
  },
  {
    name: 'value of an index entry changed',
    accounting: [],
    sqliteSees: true,
    make: (database) => {
      const page = database.leaf('events_kind')
      const at = recordBody(database, page, 2)
      database.edit(page, (bytes) => {
        bytes[at + 4] = (bytes[at + 4] ?? 0) ^ 1
      })
      return `page ${page}, byte ${at + 4}`
    },
  },
  {
    name: 'index entries out of order',
    accounting: [],
    sqliteSees: true,
    make: (database) => {
      const page = database.leaf('events_note')
      database.edit(page, (bytes, bTree) => {
        const first = cellOffset(bytes, bTree, 0)
        bytes.writeUInt16BE(cellOffset(bytes, bTree, 1), bTree.pointers)
        bytes.writeUInt16BE(first, bTree.pointers + 2)
      })
      return `entries 0 and 1 of page ${page}`
    },
  },
  {
    name: 'table row dropped',
    accounting: [],
    sqliteSees: true,
    make: (database) => {
      const page = leafWithoutFreeblocks(database, 'events')
      dropCell(database, page, 1)
      return `row 1 of page ${page} of events`
    },
  },
  {
    name: 'cell pointer out of range',
    accounting: ['page-malformed'],
    sqliteSees: true,
    make: (database) => {
      const page = database.leaf('events')
      database.edit(page, (bytes, bTree) => bytes.writeUInt16BE(3, bTree.pointers))
      return `page ${page}`
    },
  },
]

function leafWithoutFreeblocks(database: EditableDatabase, name: string): number {
  const page = database
    .pages(name)
    .find(
      (page) =>
        database.bTree(page).leaf && database.bTree(page).cellCount > 5 && database.read(page).readUInt16BE(1) === 0,
    )
  if (page === undefined) throw new Error(`${name} has no leaf without freeblocks`)
  return page
}
