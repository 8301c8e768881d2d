/** Random wounds of one page. Each returns what it did, or null if the page has nothing that it needs. */

import { readCell } from '../../../../src/sqlite/cell.ts'
import type { CellParseResult } from '../../../../src/sqlite/cell.ts'
import { cellOffset, headerOffset } from '../../../../src/sqlite/page.ts'
import type { BTreePage } from '../../../../src/sqlite/page.ts'
import { varintBytes, varintNumber } from '../../../../src/sqlite/varint.ts'
import { dropCell } from '../surgeon.ts'
import type { EditableDatabase } from '../surgeon.ts'

/** Numbers that choose where to wound, and what to write. Each is taken modulo what there is. */
export interface WoundNumbers {
  readonly tree: number
  readonly page: number
  readonly cell: number
  readonly byte: number
  readonly value: number
}

/** A b-tree page of the database. */
export interface EditablePage {
  readonly page: number
  readonly bytes: Buffer
  readonly bTree: BTreePage
}

/** A page and one of its cells. */
interface WoundTarget extends EditablePage {
  readonly database: EditableDatabase
  readonly numbers: WoundNumbers
  readonly pageCount: number
  /** The chosen cell, and its byte offset; -1 if the page has no cells. */
  readonly i: number
  readonly at: number
  /** null if the cell cannot be read, or does not lie in its page. */
  readonly cell: Cell | null
  readonly where: string
  /** Changes `bytes` and writes them. @returns `where` */
  readonly write: (change: () => void) => string
}

type Cell = Extract<CellParseResult, { kind: 'cell' }>

type PageWoundKind = keyof typeof pageWounds

/** Wounds the page. @param pageCount pages of the file */
export function woundPage(
  kind: PageWoundKind,
  database: EditableDatabase,
  numbers: WoundNumbers,
  target: EditablePage,
  pageCount: number,
): string | null {
  const { page, bytes, bTree } = target
  const { layout } = database
  const i = bTree.cellCount === 0 ? -1 : numbers.cell % bTree.cellCount
  const at = i < 0 ? -1 : cellOffset(bytes, bTree, i)
  const read = at < 0 || at > layout.usable - 4 ? null : readCell(bytes, at, bTree, layout)
  const cell = read?.kind === 'cell' && read.payload + read.localBytes <= layout.usable ? read : null
  const where = `cell ${i} of page ${page}`
  const write = (change: () => void): string => {
    change()
    database.write(page, bytes)
    return where
  }
  return pageWounds[kind]({ ...target, database, numbers, pageCount, i, at, cell, where, write })
}

const pageWounds = {
  'entry dropped'({ database, page, bytes, bTree, i, cell, where }) {
    if (i < 0 || cell === null || !bTree.leaf || bytes.readUInt16BE(headerOffset(page) + 1) !== 0) return null
    dropCell(database, page, i)
    return where
  },
  'entry twice'({ bytes, bTree, i, at, write }) {
    return bTree.cellCount < 2
      ? null
      : write(() => bytes.writeUInt16BE(at % 65_536, bTree.pointers + 2 * ((i + 1) % bTree.cellCount)))
  },
  'neighbours swapped'({ bytes, bTree, i, at, write }) {
    if (bTree.cellCount < 2 || i === bTree.cellCount - 1) return null
    const next = cellOffset(bytes, bTree, i + 1)
    return write(() => {
      bytes.writeUInt16BE(next % 65_536, bTree.pointers + 2 * i)
      bytes.writeUInt16BE(at % 65_536, bTree.pointers + 2 * i + 2)
    })
  },
  'value changed'({ numbers, bytes, cell, write }) {
    if (cell === null || cell.localBytes <= headerBytes(bytes, cell)) return null
    const first = cell.payload + headerBytes(bytes, cell)
    const byte = first + (numbers.byte % (cell.payload + cell.localBytes - first))
    return write(() => {
      bytes[byte] = (bytes[byte] ?? 0) ^ (1 << (numbers.value & 7))
    })
  },
  'record header changed'({ numbers, bytes, cell, write }) {
    return cell === null || cell.localBytes === 0
      ? null
      : write(() => {
          bytes[cell.payload + (numbers.byte % Math.min(cell.localBytes, headerBytes(bytes, cell)))] =
            numbers.value & 127
        })
  },
  'real not a number'({ numbers, bytes, cell, write }) {
    const real = cell === null ? -1 : realIn(bytes, cell)
    return real < 0 ? null : write(() => bytes.set(pick(reals, numbers.value) ?? [], real))
  },
  'cell pointer changed'({ numbers, bytes, bTree, i, write }) {
    return i < 0 ? null : write(() => bytes.writeUInt16BE(numbers.value & 0xffff, bTree.pointers + 2 * i))
  },
  'page zeroed'({ numbers, bytes, write }) {
    return write(() => bytes.fill(0, numbers.value % 2 === 0 ? 0 : numbers.byte % bytes.length))
  },
  'page of another place'({ database, numbers, pageCount, bytes, write }) {
    return write(() => database.read(1 + (numbers.value % pageCount)).copy(bytes))
  },
  'child changed'({ numbers, pageCount, page, bytes, bTree, i, at, write }) {
    return bTree.leaf
      ? null
      : write(() =>
          bytes.writeUInt32BE(
            randomPageNumber(numbers.value, pageCount),
            i < 0 || numbers.byte % 3 === 0 ? headerOffset(page) + 8 : at,
          ),
        )
  },
  'overflow pointer changed'({ numbers, pageCount, bytes, cell, write }) {
    return cell === null || cell.overflow === 0
      ? null
      : write(() => bytes.writeUInt32BE(randomPageNumber(numbers.value, pageCount), cell.payload + cell.localBytes))
  },
  'overflow chain changed'({ database, numbers, pageCount, cell }) {
    if (cell === null || cell.overflow === 0 || cell.overflow > pageCount) return null
    database.write32At((cell.overflow - 1) * database.layout.pageSize, randomPageNumber(numbers.value, pageCount))
    return `overflow page ${cell.overflow}`
  },
  'page header changed'({ numbers, page, bytes, write }) {
    return write(() => {
      bytes[headerOffset(page) + (numbers.byte % 8)] = numbers.value & 255
    })
  },
  'root changed'({ numbers, pageCount, page, bytes, cell, write }) {
    // The root pages stand in the records of page 1.
    return page !== 1 || cell === null
      ? null
      : write(() => {
          bytes[cell.payload + cell.localBytes - 1 - (numbers.byte % cell.localBytes)] = numbers.value % (pageCount + 2)
        })
  },
} satisfies Record<string, (target: WoundTarget) => string | null>

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

/** A page number: mostly one of the file, sometimes 0 or beyond its end. */
export function randomPageNumber(value: number, pageCount: number): number {
  return value % 7 === 0
    ? 0
    : value % 7 === 1
      ? pageCount + 1 + (value % 1000)
      : 1 + (Math.floor(value / 7) % pageCount)
}

export const pick = <Item>(items: readonly Item[], choice: number): Item | null =>
  items[choice % Math.max(1, items.length)] ?? null
