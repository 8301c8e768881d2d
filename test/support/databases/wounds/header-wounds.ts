/** Wounds of the header of the file, and of its length. */

import { header32 } from './wound.ts'
import type { Wound } from './wound.ts'

export const headerWounds: readonly Wound[] = [
  {
    name: 'wrong largest root in the header',
    accounting: ['pointer-map-wrong'],
    sqliteSees: true,
    only: 'auto-vacuum',
    make: (database) => header32(database, 52, database.header.largestRoot + 1),
  },
  {
    name: 'text encoding 5',
    accounting: ['header-wrong'],
    sqliteSees: false,
    make: (database) => header32(database, 56, 5),
  },
  {
    name: 'payload fractions',
    accounting: ['header-wrong'],
    sqliteSees: true,
    make: (database) => {
      database.writeAt(21, [65])
      return 'byte 21'
    },
  },
  {
    name: 'page size of no power of two',
    accounting: ['header-wrong'],
    sqliteSees: true,
    make: (database) => {
      database.writeAt(16, [3, 0])
      return 'bytes 16 and 17'
    },
  },
  {
    name: 'schema format 9',
    accounting: ['header-wrong'],
    sqliteSees: true,
    make: (database) => header32(database, 44, 9),
  },
  {
    name: 'page count of the header too high',
    accounting: ['truncated'],
    sqliteSees: true,
    make: (database) => header32(database, 28, database.header.pageCount + 10),
  },
  {
    name: 'page count of the header too low',
    accounting: ['page-unowned'],
    sqliteSees: true,
    make: (database) => header32(database, 28, database.header.pageCount - 1),
  },
  {
    name: 'file truncated',
    accounting: ['truncated'],
    sqliteSees: true,
    make: (database) => {
      database.truncate(database.bytes - 3 * database.layout.pageSize)
      return 'three pages cut off'
    },
  },
  {
    name: 'last page torn',
    accounting: ['truncated'],
    sqliteSees: false,
    make: (database) => {
      database.truncate(database.bytes - Math.floor(database.layout.pageSize / 3))
      return 'a third of the last page is gone'
    },
  },
  {
    name: 'stray bytes at the end',
    accounting: ['truncated'],
    sqliteSees: false,
    make: (database) => {
      database.writeAt(database.bytes, [1, 2, 3])
      return 'three bytes'
    },
  },
]
