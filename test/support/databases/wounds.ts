/**
 * One wound each, on the patient that `createPatient` makes. What the page accounting says of it is part of the wound.
 */

import Database from 'better-sqlite3'
import type { Rule } from '../../../src/model/result/finding.ts'
import { read32 } from '../../../src/sqlite/bytes.ts'
import { cellOffset, headerOffset } from '../../../src/sqlite/page.ts'
import { copyCached } from './database-cache.ts'
import { create, fillEvents } from './recipes.ts'
import { dropCell, Patient, recordBody, setPointerMap } from './surgeon.ts'

export interface Wound {
  readonly name: string
  /** Rules that the accounting must give, among others; empty where only SQLite can see it. */
  readonly accounting: readonly Rule[]
  /** false where `integrity_check` says ok. */
  readonly sqliteSees: boolean
  readonly only?: 'auto-vacuum'
  /** Wounds the file and says what was done. */
  readonly make: (patient: Patient) => string
}

/** Tables with several levels, three indexes, overflow chains and a free list. */
export const createPatient = (path: string, pageSize: number, autoVacuum: boolean): void =>
  copyCached(`patient ${pageSize} ${autoVacuum}`, path, (mould) => createPatientOnce(mould, pageSize, autoVacuum))

function createPatientOnce(path: string, pageSize: number, autoVacuum: boolean): void {
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

const firstTrunk = (patient: Patient): number => patient.header.freelistTrunk
const trunkOffset = (patient: Patient, at: number): number => (firstTrunk(patient) - 1) * patient.layout.pageSize + at

export const wounds: readonly Wound[] = [
  {
    name: 'index entry removed',
    accounting: [],
    sqliteSees: true,
    make: (patient) => {
      const page = leafWithoutFreeblocks(patient, 'events_kind')
      dropCell(patient, page, 3)
      return `entry 3 of page ${page} of events_kind`
    },
  },
  {
    name: 'value of an index entry changed',
    accounting: [],
    sqliteSees: true,
    make: (patient) => {
      const page = patient.leaf('events_kind')
      const at = recordBody(patient, page, 2)
      patient.edit(page, (bytes) => {
        bytes[at + 4] = (bytes[at + 4] ?? 0) ^ 1
      })
      return `page ${page}, byte ${at + 4}`
    },
  },
  {
    name: 'index entries out of order',
    accounting: [],
    sqliteSees: true,
    make: (patient) => {
      const page = patient.leaf('events_note')
      patient.edit(page, (bytes, bTree) => {
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
    make: (patient) => {
      const page = leafWithoutFreeblocks(patient, 'events')
      dropCell(patient, page, 1)
      return `row 1 of page ${page} of events`
    },
  },
  {
    name: 'table page zeroed',
    accounting: ['page-unreadable'],
    sqliteSees: true,
    make: (patient) => zero(patient, patient.leaf('events')),
  },
  {
    name: 'index page zeroed',
    accounting: ['page-unreadable'],
    sqliteSees: true,
    make: (patient) => zero(patient, patient.leaf('events_at')),
  },
  {
    name: 'interior page zeroed',
    accounting: ['page-unreadable', 'page-unowned'],
    sqliteSees: true,
    make: (patient) => zero(patient, patient.root('events')),
  },
  {
    name: 'page of another tree in the place of a leaf',
    accounting: ['page-unreadable'],
    sqliteSees: true,
    make: (patient) => {
      const page = patient.leaf('events')
      patient.write(page, patient.read(patient.leaf('events_kind')))
      return `page ${page}`
    },
  },
  {
    name: 'child pointer 0',
    accounting: ['page-out-of-range', 'page-unowned'],
    sqliteSees: true,
    make: (patient) => pointTo(patient, 'events', 0),
  },
  {
    name: 'child pointer out of range',
    accounting: ['page-out-of-range', 'page-unowned'],
    sqliteSees: true,
    make: (patient) => pointTo(patient, 'events', 900_000),
  },
  {
    name: 'child pointer to a page of another table',
    accounting: ['page-used-twice', 'page-unowned'],
    sqliteSees: true,
    make: (patient) => pointTo(patient, 'events', patient.leaf('users')),
  },
  {
    name: 'child pointer to the page itself',
    accounting: ['page-used-twice', 'page-unowned'],
    sqliteSees: true,
    make: (patient) => pointTo(patient, 'events', patient.root('events')),
  },
  {
    name: 'child pointer to a free page',
    accounting: ['page-unreadable', 'page-unowned', 'page-used-twice'],
    sqliteSees: true,
    make: (patient) => pointTo(patient, 'events', firstTrunk(patient)),
  },
  {
    name: 'child pointer over a level',
    accounting: ['wrong-depth'],
    sqliteSees: true,
    make: (patient) => {
      const page = patient.root('deep')
      const leaf = patient.children(patient.children(page)[0] ?? 0)[0] ?? 0
      patient.edit(page, (bytes, bTree) => bytes.writeUInt32BE(leaf, cellOffset(bytes, bTree, 0)))
      return `child 0 of page ${page} is ${leaf}`
    },
  },
  {
    name: 'free list count too high',
    accounting: ['freelist-broken'],
    sqliteSees: true,
    make: (patient) => count(patient, 1),
  },
  {
    name: 'free list count too low',
    accounting: ['freelist-broken'],
    sqliteSees: true,
    make: (patient) => count(patient, -1),
  },
  {
    name: 'free page listed twice',
    accounting: ['page-used-twice', 'page-unowned'],
    sqliteSees: true,
    make: (patient) => {
      patient.write32At(trunkOffset(patient, 8), read32(patient.read(firstTrunk(patient)), 12))
      return 'leaf 0 is leaf 1'
    },
  },
  {
    name: 'free page is in use',
    accounting: ['page-used-twice', 'page-unowned'],
    sqliteSees: true,
    make: (patient) => {
      patient.write32At(trunkOffset(patient, 8), patient.leaf('users'))
      return 'leaf 0 is a page of users'
    },
  },
  {
    name: 'free page out of range',
    accounting: ['freelist-broken', 'page-unowned'],
    sqliteSees: true,
    make: (patient) => {
      patient.write32At(trunkOffset(patient, 8), 1_000_000)
      return 'leaf 0'
    },
  },
  {
    name: 'trunk with more leaves than a page has room for',
    accounting: ['freelist-broken', 'page-unowned'],
    sqliteSees: true,
    make: (patient) => {
      patient.write32At(trunkOffset(patient, 4), patient.layout.pageSize)
      return 'trunk 1'
    },
  },
  {
    name: 'free list in a circle',
    accounting: ['page-used-twice'],
    sqliteSees: true,
    make: (patient) => {
      patient.write32At(trunkOffset(patient, 0), firstTrunk(patient))
      return 'trunk 1 leads to itself'
    },
  },
  {
    name: 'pointer map with a wrong parent',
    accounting: ['pointer-map-wrong'],
    sqliteSees: true,
    only: 'auto-vacuum',
    make: (patient) => {
      setPointerMap(patient, patient.leaf('events'), 5, 1)
      return 'a leaf of events'
    },
  },
  {
    name: 'pointer map with a wrong type',
    accounting: ['pointer-map-wrong'],
    sqliteSees: true,
    only: 'auto-vacuum',
    make: (patient) => {
      setPointerMap(patient, patient.chain('blobs', 2).first, 1, 0)
      return 'an overflow page of blobs'
    },
  },
  {
    name: 'wrong largest root in the header',
    accounting: ['pointer-map-wrong'],
    sqliteSees: true,
    only: 'auto-vacuum',
    make: (patient) => header32(patient, 52, patient.header.largestRoot + 1),
  },
  {
    name: 'overflow chain cut',
    accounting: ['overflow-broken', 'page-unowned'],
    sqliteSees: true,
    make: (patient) => {
      const { first } = patient.chain('blobs', 3)
      patient.write32At((first - 1) * patient.layout.pageSize, 0)
      return `page ${first}`
    },
  },
  {
    name: 'overflow chain in a circle',
    accounting: ['page-used-twice', 'page-unowned'],
    sqliteSees: true,
    make: (patient) => {
      const { first } = patient.chain('blobs', 4)
      patient.write32At((patient.next(first) - 1) * patient.layout.pageSize, first)
      return `page ${first}`
    },
  },
  {
    name: 'overflow chain that goes on',
    accounting: ['overflow-broken'],
    sqliteSees: true,
    make: (patient) => {
      let { first: page } = patient.chain('blobs', 2)
      while (patient.next(page) !== 0) page = patient.next(page)
      patient.write32At((page - 1) * patient.layout.pageSize, firstTrunk(patient))
      return `page ${page}`
    },
  },
  {
    name: 'overflow pointer out of range',
    accounting: ['page-out-of-range', 'page-unowned'],
    sqliteSees: true,
    make: (patient) => {
      patient.write32At(patient.chain('blobs', 2).pointer, 777_777)
      return 'a value of blobs'
    },
  },
  {
    name: 'cell pointer out of range',
    accounting: ['page-malformed'],
    sqliteSees: true,
    make: (patient) => {
      const page = patient.leaf('events')
      patient.edit(page, (bytes, bTree) => bytes.writeUInt16BE(3, bTree.pointers))
      return `page ${page}`
    },
  },
  {
    name: 'too many cells',
    accounting: ['page-unreadable'],
    sqliteSees: true,
    make: (patient) => {
      const page = patient.leaf('events')
      patient.edit(page, (bytes) => bytes.writeUInt16BE(60_000, headerOffset(page) + 3))
      return `page ${page}`
    },
  },
  {
    name: 'wrong count of fragmented bytes',
    accounting: [],
    sqliteSees: true,
    make: (patient) => {
      const page = patient.leaf('events')
      patient.edit(page, (bytes) => {
        bytes[headerOffset(page) + 7] = 33
      })
      return `page ${page}`
    },
  },
  {
    name: 'unused page',
    accounting: ['page-unowned'],
    sqliteSees: true,
    make: (patient) => {
      const pages = patient.bytes / patient.layout.pageSize
      patient.truncate(patient.bytes + patient.layout.pageSize)
      return header32(patient, 28, pages + 1)
    },
  },
  {
    name: 'file truncated',
    accounting: ['truncated'],
    sqliteSees: true,
    make: (patient) => {
      patient.truncate(patient.bytes - 3 * patient.layout.pageSize)
      return 'three pages cut off'
    },
  },
  {
    name: 'last page torn',
    accounting: ['truncated'],
    sqliteSees: false,
    make: (patient) => {
      patient.truncate(patient.bytes - Math.floor(patient.layout.pageSize / 3))
      return 'a third of the last page is gone'
    },
  },
  {
    name: 'stray bytes at the end',
    accounting: ['truncated'],
    sqliteSees: false,
    make: (patient) => {
      patient.writeAt(patient.bytes, [1, 2, 3])
      return 'three bytes'
    },
  },
  {
    name: 'text encoding 5',
    accounting: ['header-wrong'],
    sqliteSees: false,
    make: (patient) => header32(patient, 56, 5),
  },
  {
    name: 'payload fractions',
    accounting: ['header-wrong'],
    sqliteSees: true,
    make: (patient) => {
      patient.writeAt(21, [65])
      return 'byte 21'
    },
  },
  {
    name: 'page size of no power of two',
    accounting: ['header-wrong'],
    sqliteSees: true,
    make: (patient) => {
      patient.writeAt(16, [3, 0])
      return 'bytes 16 and 17'
    },
  },
  {
    name: 'schema format 9',
    accounting: ['header-wrong'],
    sqliteSees: true,
    make: (patient) => header32(patient, 44, 9),
  },
  {
    name: 'page count of the header too high',
    accounting: ['truncated'],
    sqliteSees: true,
    make: (patient) => header32(patient, 28, patient.header.pageCount + 10),
  },
  {
    name: 'page count of the header too low',
    accounting: ['page-unowned'],
    sqliteSees: true,
    make: (patient) => header32(patient, 28, patient.header.pageCount - 1),
  },
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

function leafWithoutFreeblocks(patient: Patient, name: string): number {
  const page = patient
    .pages(name)
    .find(
      (page) =>
        patient.bTree(page).leaf && patient.bTree(page).cellCount > 5 && patient.read(page).readUInt16BE(1) === 0,
    )
  if (page === undefined) throw new Error(`${name} has no leaf without freeblocks`)
  return page
}

function zero(patient: Patient, page: number): string {
  patient.write(page, Buffer.alloc(patient.layout.pageSize))
  return `page ${page} zeroed`
}

/** Sets the second child of the root. */
function pointTo(patient: Patient, name: string, child: number): string {
  const page = patient.root(name)
  patient.edit(page, (bytes, bTree) => bytes.writeUInt32BE(child, cellOffset(bytes, bTree, 1)))
  return `child 1 of page ${page} is ${child}`
}

function count(patient: Patient, by: number): string {
  return header32(patient, 36, patient.header.freelistCount + by)
}

function header32(patient: Patient, at: number, number: number): string {
  patient.write32At(at, number)
  return `header bytes ${at} to ${at + 3} say ${number}`
}

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
