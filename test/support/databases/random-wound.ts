/** Random wounds for any database: numbers choose the kind, the tree, the page, the cell and the byte. */

import * as fc from 'fast-check'
import { readCell } from '../../../src/sqlite/cell.ts'
import type { CellReading } from '../../../src/sqlite/cell.ts'
import { cellOffset, headerOffset, readPage } from '../../../src/sqlite/page.ts'
import type { BTreePage } from '../../../src/sqlite/page.ts'
import { varintBytes, varintNumber } from '../../../src/sqlite/varint.ts'
import { dropCell, setPointerMap } from './surgeon.ts'
import type { Patient } from './surgeon.ts'
import { header32 } from './wounds/wound.ts'

const kinds = [
  'entry dropped',
  'entry twice',
  'neighbours swapped',
  'value changed',
  'record header changed',
  'real not a number',
  'cell pointer changed',
  'page zeroed',
  'page of another place',
  'page as it was before',
  'child changed',
  'overflow pointer changed',
  'overflow chain changed',
  'page header changed',
  'free count changed',
  'free trunk changed',
  'pointer map changed',
  'header field changed',
  'file cut',
  'file longer',
  'root changed',
] as const

export interface RandomWound {
  readonly kind: (typeof kinds)[number]
  /** These numbers choose where to wound, and what to write. Each is taken modulo what there is. */
  readonly tree: number
  readonly page: number
  readonly cell: number
  readonly byte: number
  readonly value: number
}

export const randomWound: fc.Arbitrary<RandomWound> = fc.record({
  kind: fc.constantFrom(...kinds),
  tree: fc.nat({ max: 50 }),
  page: fc.nat({ max: 500 }),
  cell: fc.nat({ max: 200 }),
  byte: fc.nat({ max: 70_000 }),
  value: fc.nat({ max: 2 ** 31 - 1 }),
})

/**
 * Wounds the file.
 * @param before the same database at an earlier time, for pages that a lost write has left
 * @returns how, or null if the file has nothing that the wound needs
 */
export function inflict(patient: Patient, wound: RandomWound, before: Buffer): string | null {
  const { pageSize } = patient.layout
  const pageCount = Math.ceil(patient.bytes / pageSize)
  const place = placeOf(patient, wound)
  switch (wound.kind) {
    case 'page as it was before': {
      const changed = Array.from({ length: Math.min(pageCount, before.length / pageSize) }, (_, i) => i + 1).filter(
        (page) => page > 1 && !patient.read(page).equals(before.subarray((page - 1) * pageSize, page * pageSize)),
      )
      const page = pick(changed, wound.page)
      if (page === null) return null
      patient.write(page, before.subarray((page - 1) * pageSize, page * pageSize))
      return `page ${page} as it was before`
    }
    case 'free count changed':
      return header32(patient, 36, Math.max(0, patient.header.freelistCount + (wound.value % 5) - 2))
    case 'free trunk changed': {
      const trunk = patient.header.freelistTrunk
      if (trunk === 0) return wound.value % 2 === 0 ? header32(patient, 32, 1 + (wound.value % pageCount)) : null
      const at = 4 * (wound.byte % 6)
      patient.write32At((trunk - 1) * pageSize + at, target(wound.value, pageCount))
      return `trunk ${trunk}, byte ${at}`
    }
    case 'pointer map changed': {
      if (!patient.layout.autoVacuum || pageCount < 3) return null
      const page = 3 + (wound.page % (pageCount - 2))
      setPointerMap(patient, page, wound.value % 7, target(wound.value >> 3, pageCount))
      return `pointer map of page ${page}`
    }
    case 'header field changed': {
      const [at, number] = pick(fields, wound.page) ?? [0, 0]
      patient.writeAt(at, [wound.value % 2 === 0 ? number : wound.value & 255])
      return `header byte ${at}`
    }
    case 'file cut':
      patient.truncate(
        Math.max(
          wound.page % 2 === 0 ? pageSize : 0,
          patient.bytes - (wound.value % 3 === 0 ? 1 + (wound.byte % pageSize) : pageSize * (1 + (wound.byte % 3))),
        ),
      )
      return `${patient.bytes} bytes are left`
    case 'file longer':
      patient.writeAt(
        patient.bytes,
        Array.from({ length: 1 + (wound.byte % (2 * pageSize)) }, () => wound.value & 255),
      )
      return `${patient.bytes} bytes`
    default:
      return place === null ? null : inflictOnPage(patient, wound, place, pageCount)
  }
}

interface Place {
  readonly page: number
  readonly bytes: Buffer
  readonly bTree: BTreePage
}

function placeOf(patient: Patient, wound: RandomWound): Place | null {
  const root = pick([1, ...patient.roots.values()], wound.tree) ?? 1
  const pages = [root]
  for (let at = 0; at < pages.length && at < 500; at++)
    pages.push(...childrenOf(patient, pages[at] ?? 0).filter((child) => !pages.includes(child)))
  const page = pick(pages, wound.page) ?? root
  const bytes = patient.read(page)
  const bTree = readPage(bytes, page, patient.layout)
  return bTree.kind === 'b-tree' ? { page, bytes, bTree } : null
}

/** Unlike `Patient.children`, also for pages that have been wounded before. */
function childrenOf(patient: Patient, page: number): readonly number[] {
  const bytes = patient.read(page)
  const bTree = readPage(bytes, page, patient.layout)
  if (bTree.kind !== 'b-tree' || bTree.leaf) return []
  const offsets = Array.from({ length: bTree.cellCount }, (_, i) => cellOffset(bytes, bTree, i)).filter(
    (at) => at + 4 <= bytes.length,
  )
  return [...offsets.map((at) => bytes.readUInt32BE(at)), bTree.rightChild].filter(
    (child) => child > 0 && child * patient.layout.pageSize <= patient.bytes,
  )
}

function inflictOnPage(
  patient: Patient,
  wound: RandomWound,
  { page, bytes, bTree }: Place,
  pageCount: number,
): string | null {
  const { layout } = patient
  const i = bTree.cellCount === 0 ? -1 : wound.cell % bTree.cellCount
  const at = i < 0 ? -1 : cellOffset(bytes, bTree, i)
  const read = at < 0 || at > layout.usable - 4 ? null : readCell(bytes, at, bTree, layout)
  const cell = read?.kind === 'cell' && read.payload + read.localBytes <= layout.usable ? read : null
  const where = `cell ${i} of page ${page}`
  const write = (change: () => void): string => {
    change()
    patient.write(page, bytes)
    return where
  }
  switch (wound.kind) {
    case 'entry dropped':
      if (i < 0 || cell === null || !bTree.leaf || bytes.readUInt16BE(headerOffset(page) + 1) !== 0) return null
      dropCell(patient, page, i)
      return where
    case 'entry twice':
      return bTree.cellCount < 2
        ? null
        : write(() => bytes.writeUInt16BE(at % 65_536, bTree.pointers + 2 * ((i + 1) % bTree.cellCount)))
    case 'neighbours swapped': {
      if (bTree.cellCount < 2 || i === bTree.cellCount - 1) return null
      const next = cellOffset(bytes, bTree, i + 1)
      return write(() => {
        bytes.writeUInt16BE(next % 65_536, bTree.pointers + 2 * i)
        bytes.writeUInt16BE(at % 65_536, bTree.pointers + 2 * i + 2)
      })
    }
    case 'value changed': {
      if (cell === null || cell.localBytes <= headerBytes(bytes, cell)) return null
      const first = cell.payload + headerBytes(bytes, cell)
      const byte = first + (wound.byte % (cell.payload + cell.localBytes - first))
      return write(() => {
        bytes[byte] = (bytes[byte] ?? 0) ^ (1 << (wound.value & 7))
      })
    }
    case 'record header changed':
      return cell === null || cell.localBytes === 0
        ? null
        : write(() => {
            bytes[cell.payload + (wound.byte % Math.min(cell.localBytes, headerBytes(bytes, cell)))] = wound.value & 127
          })
    case 'real not a number': {
      const real = cell === null ? -1 : realIn(bytes, cell)
      return real < 0 ? null : write(() => bytes.set(pick(reals, wound.value) ?? [], real))
    }
    case 'cell pointer changed':
      return i < 0 ? null : write(() => bytes.writeUInt16BE(wound.value & 0xffff, bTree.pointers + 2 * i))
    case 'page zeroed':
      return write(() => bytes.fill(0, wound.value % 2 === 0 ? 0 : wound.byte % bytes.length))
    case 'page of another place':
      return write(() => patient.read(1 + (wound.value % pageCount)).copy(bytes))
    case 'child changed':
      return bTree.leaf
        ? null
        : write(() =>
            bytes.writeUInt32BE(
              target(wound.value, pageCount),
              i < 0 || wound.byte % 3 === 0 ? headerOffset(page) + 8 : at,
            ),
          )
    case 'overflow pointer changed':
      return cell === null || cell.overflow === 0
        ? null
        : write(() => bytes.writeUInt32BE(target(wound.value, pageCount), cell.payload + cell.localBytes))
    case 'overflow chain changed': {
      if (cell === null || cell.overflow === 0 || cell.overflow > pageCount) return null
      patient.write32At((cell.overflow - 1) * layout.pageSize, target(wound.value, pageCount))
      return `overflow page ${cell.overflow}`
    }
    case 'page header changed':
      return write(() => {
        bytes[headerOffset(page) + (wound.byte % 8)] = wound.value & 255
      })
    case 'root changed':
      // The root pages stand in the records of page 1.
      return page !== 1 || cell === null
        ? null
        : write(() => {
            bytes[cell.payload + cell.localBytes - 1 - (wound.byte % cell.localBytes)] = wound.value % (pageCount + 2)
          })
    default:
      return null
  }
}

type Cell = Extract<CellReading, { kind: 'cell' }>

const headerBytes = (bytes: Buffer, cell: Cell): number => Math.min(cell.localBytes, bytes[cell.payload] ?? 0)

/** Byte offset in the page of the first real of a record; -1 if it has none. */
function realIn(bytes: Buffer, cell: Cell): number {
  let value = cell.payload + headerBytes(bytes, cell)
  for (let next = cell.payload + 1; next < cell.payload + headerBytes(bytes, cell);) {
    const type = varintNumber(bytes, next)
    if (type === 7) return value + 8 <= cell.payload + cell.localBytes ? value : -1
    value += type >= 12 ? Math.floor((type - 12) / 2) : ([0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0][type] ?? 0)
    next += varintBytes(bytes, next)
  }
  return -1
}

/** Two NaNs, the negative zero, a whole number that SQLite would store as an integer, and infinity. */
const reals = [
  [0x7f, 0xf8, 0, 0, 0, 0, 0, 1],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  [0x80, 0, 0, 0, 0, 0, 0, 0],
  [0x40, 0x14, 0, 0, 0, 0, 0, 0],
  [0x7f, 0xf0, 0, 0, 0, 0, 0, 0],
] as const

/** Bytes of the header, each with a wrong value. */
const fields = [
  [17, 3],
  [18, 3],
  [19, 2],
  [20, 9],
  [21, 65],
  [27, 1],
  [31, 1],
  [39, 1],
  [47, 9],
  [55, 1],
  [59, 2],
  [59, 5],
  [67, 1],
  [95, 1],
] as const

function target(value: number, pageCount: number): number {
  return value % 7 === 0
    ? 0
    : value % 7 === 1
      ? pageCount + 1 + (value % 1000)
      : 1 + (Math.floor(value / 7) % pageCount)
}

const pick = <Item>(items: readonly Item[], choice: number): Item | null =>
  items[choice % Math.max(1, items.length)] ?? null
