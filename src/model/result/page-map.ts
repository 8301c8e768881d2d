/**
 * The map of a snapshot's pages: which object owns them, and where something is wrong. Its size is bounded for any size
 * of the file.
 */

import type { TenantId } from '../brand.ts'
import type { FoundObject, Rule } from './finding.ts'

/** A file is divided into at most this many groups of consecutive pages. */
export const groupsMax = 1024
/** A map names at most this many places. */
export const placesMax = 500

/**
 * What a group of pages shows. First what is wrong with any of its pages, the worst first: it is damaged, has index
 * entries that disagree with their rows, was not read because the system refused, or belongs to no object. Otherwise
 * what most of its pages are: of a b-tree, free, reserved (pointer map, lock bytes), or behind the end of the database.
 */
export const pageStates = [
  'damaged',
  'disagreeing',
  'unread',
  'unowned',
  'owned',
  'free',
  'reserved',
  'behind',
] as const
export type PageState = (typeof pageStates)[number]
export type BadPageState = 'damaged' | 'disagreeing' | 'unread' | 'unowned'

/** Consecutive pages with the same thing wrong. */
export interface BadPageRange {
  readonly state: BadPageState
  readonly first: number
  readonly last: number
  /** null for pages that the system refused to read. */
  readonly rule: Rule | null
  /** null for pages that the system refused to read. */
  readonly object: FoundObject | null
}

/** Pages with something wrong. */
export interface BadPages {
  readonly places: readonly BadPageRange[]
  /** Number of pages in places that are not listed. */
  readonly more: number
  /** Positions of the groups with such a page, including pages that are not listed. */
  readonly groups: readonly number[]
}

/**
 * The number of pages in each state. `owned`, `free`, `reserved`, `unowned` and `behind` add up to all pages; the
 * other states count pages among them.
 */
type PageCounts = Readonly<Record<PageState, number>>

/** There is no map, and why. */
export interface NoMap {
  readonly kind: 'none'
  readonly why: string
}

/** What a check brings back for a map. */
export interface MappedPages {
  readonly kind: 'pages'
  readonly accounted: PageGroups
  /** Pages with entries that disagree with their rows. */
  readonly entries: BadPages
}

/** What the page accounting found out; a b-tree is named by its root page. */
export interface PageGroups {
  /** Bytes. */
  readonly pageSize: number
  /** Pages of the file. */
  readonly pages: number
  readonly pagesPerGroup: number
  /** In the order of the file. `root`: the tree that has most of the group's pages; 0 if most belong to no tree. */
  readonly groups: readonly { readonly state: PageState; readonly root: number }[]
  /** The largest first; if there are very many, only the largest. */
  readonly trees: readonly { readonly root: number; readonly pages: number; readonly damaged: number }[]
  /** Number of trees that are not listed. */
  readonly treesMore: number
  readonly counts: PageCounts
  readonly bad: BadPages
}

/** The map as reports have it. */
export interface DrawnMap {
  readonly kind: 'drawn'
  /** Bytes. */
  readonly pageSize: number
  /** Pages of the file. */
  readonly pages: number
  /** Pages of one cell; the last cell may have fewer. */
  readonly pagesPerCell: number
  /** `damaged` and `disagreeing` are lower bounds if `placesMore` is not 0. */
  readonly counts: PageCounts
  /**
   * Objects that have pages, the largest first: all with damage, and the largest of the others. `damagedPages` counts
   * damaged and disagreeing pages.
   */
  readonly owners: readonly { readonly object: FoundObject; readonly pages: number; readonly damagedPages: number }[]
  /** Number of objects that are not listed. */
  readonly ownersMore: number
  /**
   * In the order of the file; neighbours that show the same are one cell. `owner`: position in `owners` of the object
   * that has most of the pages; null if it is not listed.
   */
  readonly cells: readonly {
    readonly first: number
    readonly last: number
    readonly state: PageState
    readonly owner: number | null
  }[]
  /** In the order of the file. */
  readonly places: readonly BadPageRange[]
  /** Number of pages in places that are not listed. */
  readonly placesMore: number
}

export type PageMap = DrawnMap | NoMap

/** A page of a damaged file, as it was when it was checked. It has contents of rows. */
export interface DamagedPage {
  readonly tenant: TenantId | null
  readonly path: string
  /** From 1 on. */
  readonly page: number
  /** Bytes, as far as they are known: 4096 where the header cannot be read. */
  readonly pageSize: number
  /** Why it was kept: rules of findings, `header`, or `leads to page 69`. */
  readonly why: readonly string[]
  /** In base64; fewer than `pageSize` if the file ends there. */
  readonly bytes: string
  /** Present if what may be contents of rows was replaced by zeroes before the page was kept. */
  readonly masked?: true
}
