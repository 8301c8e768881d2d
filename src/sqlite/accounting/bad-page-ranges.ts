/** Collects pages with something wrong, as ranges: long parts of a file may be damaged. */

import type { FoundObject, Rule } from '../../model/result/finding.ts'
import { groupsMax, placesMax } from '../../model/result/page-map.ts'
import type { BadPages, BadPageState, BadPageRange } from '../../model/result/page-map.ts'

/** Pages of one group of a map. */
export const pagesPerGroup = (filePages: number): number => Math.max(1, Math.ceil(filePages / groupsMax))

interface OpenRange {
  readonly place: Omit<BadPageRange, 'last'>
  last: number
}

export class BadPageRanges {
  readonly #pagesPerGroup: number
  readonly #ranges: OpenRange[] = []
  /** The newest range of each kind. Pages come roughly in the order of the file, so it is the one to extend. */
  readonly #newest = new Map<string, OpenRange>()
  readonly #groups = new Set<number>()
  /** Pages beyond the limit of ranges. */
  #more = 0

  constructor(filePages: number) {
    this.#pagesPerGroup = pagesPerGroup(filePages)
  }

  add(state: BadPageState, page: number, rule: Rule | null, object: FoundObject | null): void {
    this.#groups.add(Math.floor((page - 1) / this.#pagesPerGroup))
    const kind = `${state}\0${rule}\0${object?.kind}\0${object?.name}`
    const newest = this.#newest.get(kind)
    if (newest !== undefined && page >= newest.place.first && page <= newest.last) return
    if (newest !== undefined && page === newest.last + 1) {
      newest.last = page
      return
    }
    if (this.#ranges.length >= placesMax) {
      this.#more++
      return
    }
    const range = { place: { state, first: page, rule, object }, last: page }
    this.#ranges.push(range)
    this.#newest.set(kind, range)
  }

  /** Places in the order of the file. */
  pages(): BadPages {
    const places = this.#ranges
      .map(({ place, last }): BadPageRange => ({ ...place, last }))
      .toSorted((a, b) => a.first - b.first || a.last - b.last)
    return { places, more: this.#more, groups: [...this.#groups] }
  }
}
