/** Wounds of what points from page to page: children, overflow chains, and the pointer map. */

import { cellOffset } from '../../../../src/sqlite/page.ts'
import { setPointerMap } from '../surgeon.ts'
import type { EditableDatabase } from '../surgeon.ts'
import { firstTrunk } from './wound.ts'
import type { Wound } from './wound.ts'

export const pointerWounds: readonly Wound[] = [
  {
    name: 'child pointer 0',
    accounting: ['page-out-of-range', 'page-unowned'],
    sqliteSees: true,
    make: (database) => pointTo(database, 'events', 0),
  },
  {
    name: 'child pointer out of range',
    accounting: ['page-out-of-range', 'page-unowned'],
    sqliteSees: true,
    make: (database) => pointTo(database, 'events', 900_000),
  },
  {
    name: 'child pointer to a page of another table',
    accounting: ['page-used-twice', 'page-unowned'],
    sqliteSees: true,
    make: (database) => pointTo(database, 'events', database.leaf('users')),
  },
  {
    name: 'child pointer to the page itself',
    accounting: ['page-used-twice', 'page-unowned'],
    sqliteSees: true,
    make: (database) => pointTo(database, 'events', database.root('events')),
  },
  {
    name: 'child pointer to a free page',
    accounting: ['page-unreadable', 'page-unowned', 'page-used-twice'],
    sqliteSees: true,
    make: (database) => pointTo(database, 'events', firstTrunk(database)),
  },
  {
    name: 'child pointer over a level',
    accounting: ['wrong-depth'],
    sqliteSees: true,
    make: (database) => {
      const page = database.root('deep')
      const leaf = database.children(database.children(page)[0] ?? 0)[0] ?? 0
      database.edit(page, (bytes, bTree) => bytes.writeUInt32BE(leaf, cellOffset(bytes, bTree, 0)))
      return `child 0 of page ${page} is ${leaf}`
    },
  },
  {
    name: 'overflow chain cut',
    accounting: ['overflow-broken', 'page-unowned'],
    sqliteSees: true,
    make: (database) => {
      const { first } = database.chain('blobs', 3)
      database.write32At((first - 1) * database.layout.pageSize, 0)
      return `page ${first}`
    },
  },
  {
    name: 'overflow chain in a circle',
    accounting: ['page-used-twice', 'page-unowned'],
    sqliteSees: true,
    make: (database) => {
      const { first } = database.chain('blobs', 4)
      database.write32At((database.next(first) - 1) * database.layout.pageSize, first)
      return `page ${first}`
    },
  },
  {
    name: 'overflow chain that goes on',
    accounting: ['overflow-broken'],
    sqliteSees: true,
    make: (database) => {
      let { first: page } = database.chain('blobs', 2)
      while (database.next(page) !== 0) page = database.next(page)
      database.write32At((page - 1) * database.layout.pageSize, firstTrunk(database))
      return `page ${page}`
    },
  },
  {
    name: 'overflow pointer out of range',
    accounting: ['page-out-of-range', 'page-unowned'],
    sqliteSees: true,
    make: (database) => {
      database.write32At(database.chain('blobs', 2).pointer, 777_777)
      return 'a value of blobs'
    },
  },
  {
    name: 'pointer map with a wrong parent',
    accounting: ['pointer-map-wrong'],
    sqliteSees: true,
    only: 'auto-vacuum',
    make: (database) => {
      setPointerMap(database, database.leaf('events'), 5, 1)
      return 'a leaf of events'
    },
  },
  {
    name: 'pointer map with a wrong type',
    accounting: ['pointer-map-wrong'],
    sqliteSees: true,
    only: 'auto-vacuum',
    make: (database) => {
      setPointerMap(database, database.chain('blobs', 2).first, 1, 0)
      return 'an overflow page of blobs'
    },
  },
]

/** Sets the second child of the root. */
function pointTo(database: EditableDatabase, name: string, child: number): string {
  const page = database.root(name)
  database.edit(page, (bytes, bTree) => bytes.writeUInt32BE(child, cellOffset(bytes, bTree, 1)))
  return `child 1 of page ${page} is ${child}`
}
