/**
 * The map of a snapshot's pages: whose they are, and where something is wrong. Of bounded size, whatever the size of
 * the file.
 */
import type { FoundObject, Rule } from './finding.ts'

/** Groups of consecutive pages that a file is divided into, at most. */
export const groupsMax = 1024
/** Places that a map names, at most. */
export const placesMax = 500

/**
 * What a group of pages shows, the worst first: a page is damaged in itself, has index entries that do not agree with
 * their rows, was not given by the system, belongs to nobody. Else what most of them are: pages of a b-tree, free,
 * reserved (pointer map, lock bytes), behind the end of the database.
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

/** Consecutive pages of which the same is wrong. */
export interface BadPlace {
  readonly state: BadPageState
  readonly first: number
  readonly last: number
  /** null for pages that the system would not give. */
  readonly rule: Rule | null
  /** null for pages that the system would not give. */
  readonly object: FoundObject | null
}

/** Pages with which something is wrong. */
export interface BadPages {
  readonly places: readonly BadPlace[]
  /** Pages of places that are not named. */
  readonly more: number
  /** Positions of the groups that they lie in: of all of them, named or not. */
  readonly groups: readonly number[]
}

/**
 * How many pages are what. `owned`, `free`, `reserved`, `unowned` and `behind` add up to all; the others are among
 * them.
 */
export type PageCounts = Readonly<Record<PageState, number>>

/** No map, and why. */
export interface NoMap {
  readonly kind: 'none'
  readonly why: string
}

/** What a check brings back for a map. */
export interface MappedPages {
  readonly kind: 'pages'
  readonly accounted: PageGroups
  /** Of entries that do not agree with their rows. */
  readonly entries: BadPages
}

/** What the page accounting brings back; a b-tree is named by its root page. */
export interface PageGroups {
  /** Bytes. */
  readonly pageSize: number
  /** Pages of the file. */
  readonly pages: number
  readonly pagesPerGroup: number
  /** In the order of the file. `root`: the tree that has most of the group's pages, 0 where most are of none. */
  readonly groups: readonly { readonly state: PageState; readonly root: number }[]
  /** The largest first; of very many only the largest. */
  readonly trees: readonly { readonly root: number; readonly pages: number; readonly damaged: number }[]
  /** Trees that are not named. */
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
  /** `damaged` and `disagreeing` are the least that there are where `placesMore` is not 0. */
  readonly counts: PageCounts
  /**
   * Objects with pages, the largest first: those with damage, and the largest of the others. `damagedPages`: damaged or
   * disagreeing.
   */
  readonly owners: readonly { readonly object: FoundObject; readonly pages: number; readonly damagedPages: number }[]
  /** Objects that are not named. */
  readonly ownersMore: number
  /**
   * In the order of the file; neighbours that show the same are one. `owner`: position in `owners` of who has most of
   * the pages, null for others.
   */
  readonly cells: readonly {
    readonly first: number
    readonly last: number
    readonly state: PageState
    readonly owner: number | null
  }[]
  /** In the order of the file. */
  readonly places: readonly BadPlace[]
  /** Pages of places that are not named. */
  readonly placesMore: number
}

export type PageMap = DrawnMap | NoMap
