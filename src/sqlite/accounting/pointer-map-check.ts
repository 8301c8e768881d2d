/**
 * Compares every entry of the pointer map with what really points to the page (sqlite.org/fileformat2.html, section
 * 1.8). Only for auto-vacuum files.
 */

import type { FoundObject } from '../../model/result/finding.ts'
import { isPointerMapPage, lockBytePage, pointerMapEntryOffset } from '../page-layout.ts'
import type { AccountingState } from './accounting-state.ts'
import { uses } from './claims.ts'
import type { Use } from './claims.ts'
import { pointerMapTypes, readPointerMapEntry } from './pointer-map.ts'

const pointerMap: FoundObject = { kind: 'pointer-map', name: 'pointer map', table: null }

/** Yields after each page of the map. */
export function* checkPointerMap(account: AccountingState): Generator<void> {
  const { claims, layout } = account
  let map: Uint8Array | null = null
  let mapPage = 0
  for (let page = 2; page <= claims.pageCount; page++) {
    if (isPointerMapPage(layout, page)) {
      map = account.read(page)
      mapPage = page
      yield
    } else if (map !== null && page !== lockBytePage(layout)) compare(account, page, mapPage, map)
  }
}

/** If the lock-byte page lies where a map page would be, that map page follows it; entries count from there. */
function compare(account: AccountingState, page: number, mapPage: number, map: Uint8Array): void {
  const expected = expectedType(account.claims.useOf(page))
  const at = pointerMapEntryOffset(account.layout, page)
  if (expected === null || at < 0 || account.claims.isContested(page)) return
  const parent = account.claims.parentOf(page)
  const entry = readPointerMapEntry(map, at)
  if (entry.type === expected && entry.parent === parent) return
  account.report(
    'pointer-map-wrong',
    'damage',
    pointerMap,
    page,
    [],
    `the pointer map (page ${mapPage}) says of page ${page}: ` +
      `${describe(entry.type, entry.parent)}; in truth: ` +
      describe(expected, parent),
  )
}

function expectedType(use: Use): number | null {
  switch (use) {
    case uses.root:
      return pointerMapTypes.root
    case uses.bTree:
      return pointerMapTypes.bTree
    case uses.firstOverflow:
      return pointerMapTypes.firstOverflow
    case uses.laterOverflow:
      return pointerMapTypes.laterOverflow
    case uses.trunk:
    case uses.freeLeaf:
      return pointerMapTypes.free
    case uses.none:
    case uses.pointerMap:
    case uses.lockByte:
      return null
  }
}

function describe(type: number, parent: number): string {
  switch (type) {
    case pointerMapTypes.root:
      return 'root of a tree'
    case pointerMapTypes.free:
      return 'free'
    case pointerMapTypes.firstOverflow:
      return `first overflow page of a value on page ${parent}`
    case pointerMapTypes.laterOverflow:
      return `overflow page behind page ${parent}`
    case pointerMapTypes.bTree:
      return `child of page ${parent}`
    default:
      return `unknown type ${type}, page ${parent}`
  }
}

/** Checks that the largest root in the header is the largest root of the schema. */
export function checkLargestRoot(account: AccountingState, roots: readonly number[]): void {
  const largest = roots.reduce((a, b) => Math.max(a, b), 1)
  if (largest === account.header.largestRoot) return
  account.report(
    'pointer-map-wrong',
    'damage',
    pointerMap,
    1,
    [],
    `the header says that the largest root page is ${account.header.largestRoot}, but it is ${largest}`,
  )
}
