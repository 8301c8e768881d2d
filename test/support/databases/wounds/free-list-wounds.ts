/** Wounds of the free list. */

import { read32 } from '../../../../src/sqlite/bytes.ts'
import type { EditableDatabase } from '../surgeon.ts'
import { firstTrunk, header32 } from './wound.ts'
import type { Wound } from './wound.ts'

export const freeListWounds: readonly Wound[] = [
  {
    name: 'free list count too high',
    accounting: ['freelist-broken'],
    sqliteSees: true,
    make: (database) => count(database, 1),
  },
  {
    name: 'free list count too low',
    accounting: ['freelist-broken'],
    sqliteSees: true,
    make: (database) => count(database, -1),
  },
  {
    name: 'free page listed twice',
    accounting: ['page-used-twice', 'page-unowned'],
    sqliteSees: true,
    make: (database) => {
      database.write32At(trunkOffset(database, 8), read32(database.read(firstTrunk(database)), 12))
      return 'leaf 0 is leaf 1'
    },
  },
  {
    name: 'free page is in use',
    accounting: ['page-used-twice', 'page-unowned'],
    sqliteSees: true,
    make: (database) => {
      database.write32At(trunkOffset(database, 8), database.leaf('users'))
      return 'leaf 0 is a page of users'
    },
  },
  {
    name: 'free page out of range',
    accounting: ['freelist-broken', 'page-unowned'],
    sqliteSees: true,
    make: (database) => {
      database.write32At(trunkOffset(database, 8), 1_000_000)
      return 'leaf 0'
    },
  },
  {
    name: 'trunk with more leaves than a page has room for',
    accounting: ['freelist-broken', 'page-unowned'],
    sqliteSees: true,
    make: (database) => {
      database.write32At(trunkOffset(database, 4), database.layout.pageSize)
      return 'trunk 1'
    },
  },
  {
    name: 'free list in a circle',
    accounting: ['page-used-twice'],
    sqliteSees: true,
    make: (database) => {
      database.write32At(trunkOffset(database, 0), firstTrunk(database))
      return 'trunk 1 leads to itself'
    },
  },
]

const trunkOffset = (database: EditableDatabase, at: number): number =>
  (firstTrunk(database) - 1) * database.layout.pageSize + at

function count(database: EditableDatabase, by: number): string {
  return header32(database, 36, database.header.freelistCount + by)
}
