/** Random wounds for any database: numbers choose the kind, the tree, the page, the cell and the byte. */

import * as fc from 'fast-check'
import { cellOffset, readPage } from '../../../src/sqlite/page.ts'
import { setPointerMap } from './surgeon.ts'
import type { EditableDatabase } from './surgeon.ts'
import { pick, randomPageNumber, woundPage } from './wounds/random-page-wounds.ts'
import type { EditablePage, WoundNumbers } from './wounds/random-page-wounds.ts'
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

export interface RandomWound extends WoundNumbers {
  readonly kind: (typeof kinds)[number]
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
export function inflict(database: EditableDatabase, wound: RandomWound, before: Buffer): string | null {
  const { pageSize } = database.layout
  const pageCount = Math.ceil(database.bytes / pageSize)
  const place = placeOf(database, wound)
  switch (wound.kind) {
    case 'page as it was before': {
      const changed = Array.from({ length: Math.min(pageCount, before.length / pageSize) }, (_, i) => i + 1).filter(
        (page) => page > 1 && !database.read(page).equals(before.subarray((page - 1) * pageSize, page * pageSize)),
      )
      const page = pick(changed, wound.page)
      if (page === null) return null
      database.write(page, before.subarray((page - 1) * pageSize, page * pageSize))
      return `page ${page} as it was before`
    }
    case 'free count changed':
      return header32(database, 36, Math.max(0, database.header.freelistCount + (wound.value % 5) - 2))
    case 'free trunk changed': {
      const trunk = database.header.freelistTrunk
      if (trunk === 0) return wound.value % 2 === 0 ? header32(database, 32, 1 + (wound.value % pageCount)) : null
      const at = 4 * (wound.byte % 6)
      database.write32At((trunk - 1) * pageSize + at, randomPageNumber(wound.value, pageCount))
      return `trunk ${trunk}, byte ${at}`
    }
    case 'pointer map changed': {
      if (!database.layout.autoVacuum || pageCount < 3) return null
      const page = 3 + (wound.page % (pageCount - 2))
      setPointerMap(database, page, wound.value % 7, randomPageNumber(wound.value >> 3, pageCount))
      return `pointer map of page ${page}`
    }
    case 'header field changed': {
      const [at, number] = pick(fields, wound.page) ?? [0, 0]
      database.writeAt(at, [wound.value % 2 === 0 ? number : wound.value & 255])
      return `header byte ${at}`
    }
    case 'file cut':
      database.truncate(
        Math.max(
          wound.page % 2 === 0 ? pageSize : 0,
          database.bytes - (wound.value % 3 === 0 ? 1 + (wound.byte % pageSize) : pageSize * (1 + (wound.byte % 3))),
        ),
      )
      return `${database.bytes} bytes are left`
    case 'file longer':
      database.writeAt(
        database.bytes,
        Array.from({ length: 1 + (wound.byte % (2 * pageSize)) }, () => wound.value & 255),
      )
      return `${database.bytes} bytes`
    default:
      return place === null ? null : woundPage(wound.kind, database, wound, place, pageCount)
  }
}

function placeOf(database: EditableDatabase, wound: RandomWound): EditablePage | null {
  const root = pick([1, ...database.roots.values()], wound.tree) ?? 1
  const pages = [root]
  for (let at = 0; at < pages.length && at < 500; at++)
    pages.push(...childrenOf(database, pages[at] ?? 0).filter((child) => !pages.includes(child)))
  const page = pick(pages, wound.page) ?? root
  const bytes = database.read(page)
  const bTree = readPage(bytes, page, database.layout)
  return bTree.kind === 'b-tree' ? { page, bytes, bTree } : null
}

/** Unlike `EditableDatabase.children`, also for pages that have been wounded before. */
function childrenOf(database: EditableDatabase, page: number): readonly number[] {
  const bytes = database.read(page)
  const bTree = readPage(bytes, page, database.layout)
  if (bTree.kind !== 'b-tree' || bTree.leaf) return []
  const offsets = Array.from({ length: bTree.cellCount }, (_, i) => cellOffset(bytes, bTree, i)).filter(
    (at) => at + 4 <= bytes.length,
  )
  return [...offsets.map((at) => bytes.readUInt32BE(at)), bTree.rightChild].filter(
    (child) => child > 0 && child * database.layout.pageSize <= database.bytes,
  )
}

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
