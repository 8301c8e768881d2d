/**
 * Where pages lie, and which of them are no ordinary ones: the lock-byte page (SQLite file format, section 1.4) and
 * pointer-map pages (section 1.8).
 */

import { lockBytes } from './lock-bytes.ts'

export interface PageLayout {
  readonly pageSize: number
  /** Page size less reserved bytes. */
  readonly usable: number
  readonly autoVacuum: boolean
}

/**
 * The page with SQLite's lock bytes, at 1 GiB. It exists only in files that reach so far; nothing is ever stored in it.
 */
export const lockBytePage = (layout: PageLayout): number => Math.floor(lockBytes.pending / layout.pageSize) + 1

/**
 * The pointer-map page that has the entry for `page`; for a pointer-map page, itself. Only for pages from 2 on of an
 * auto-vacuum file.
 */
export function pointerMapPageFor(layout: PageLayout, page: number): number {
  const pagesPerMap = Math.floor(layout.usable / 5) + 1
  const map = Math.floor((page - 2) / pagesPerMap) * pagesPerMap + 2
  return map === lockBytePage(layout) ? map + 1 : map
}

export const isPointerMapPage = (layout: PageLayout, page: number): boolean =>
  layout.autoVacuum && page >= 2 && pointerMapPageFor(layout, page) === page

/**
 * Byte offset within its pointer-map page of the entry for `page`. Negative for the lock-byte page where a map page
 * gave way to it.
 */
export const pointerMapEntryOffset = (layout: PageLayout, page: number): number =>
  5 * (page - pointerMapPageFor(layout, page) - 1)
