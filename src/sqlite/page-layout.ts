/**
 * Which pages are special: the lock-byte page and pointer-map pages (sqlite.org/fileformat2.html, sections 1.4 and
 * 1.8).
 */

import { lockBytes } from './lock-bytes.ts'

export interface PageLayout {
  readonly pageSize: number
  /** Page size less reserved bytes. */
  readonly usable: number
  readonly autoVacuum: boolean
}

/** The page with SQLite's lock bytes, at 1 GiB. Only files that reach so far have it. It never stores anything. */
export const lockBytePage = (layout: PageLayout): number => Math.floor(lockBytes.pending / layout.pageSize) + 1

/**
 * The pointer-map page with the entry for `page`; for a pointer-map page, that page itself.
 * @param page from 2 on, in an auto-vacuum file
 */
export function pointerMapPageFor(layout: PageLayout, page: number): number {
  const pagesPerMap = Math.floor(layout.usable / 5) + 1
  const map = Math.floor((page - 2) / pagesPerMap) * pagesPerMap + 2
  return map === lockBytePage(layout) ? map + 1 : map
}

export const isPointerMapPage = (layout: PageLayout, page: number): boolean =>
  layout.autoVacuum && page >= 2 && pointerMapPageFor(layout, page) === page

/**
 * Byte offset of the entry for `page` within its pointer-map page. Negative for the lock-byte page if it lies where a
 * map page would be: that map page is then the page after it.
 */
export const pointerMapEntryOffset = (layout: PageLayout, page: number): number =>
  5 * (page - pointerMapPageFor(layout, page) - 1)
