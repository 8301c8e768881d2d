/**
 * The census of one snapshot: pages are handed out to whoever has time, tallies are added up, and what differs is
 * looked for.
 */
import type { CensusPlan } from '../census/plan.ts'
import type { CensusTally } from '../census/scan/tally.ts'
import { newKey } from './reading-builder.ts'
import type { Reader, ReadingBuilder } from './reading-builder.ts'

export interface Counting {
  readonly plan: CensusPlan
  /** Of the fingerprints. */
  readonly key: readonly [number, number]
  /** Hands out the pages: each range to one child only. */
  readonly ranges: Ranges
}

/**
 * Bytes that are counted between two words of progress: large enough for reading ahead, small enough to share the end
 * evenly.
 */
const rangeBytes = 16 << 20

export function beginCounting(plan: CensusPlan): Counting {
  return { plan, key: newKey(), ranges: new Ranges(plan.pages, Math.max(1, Math.floor(rangeBytes / plan.pageSize))) }
}

class Ranges {
  readonly #pages: number
  readonly #size: number
  #next = 1

  constructor(pages: number, size: number) {
    this.#pages = pages
    this.#size = size
  }

  /** null when all are given out. */
  take(): { readonly first: number; readonly last: number } | null {
    if (this.#next > this.#pages) return null
    const first = this.#next
    const last = Math.min(this.#pages, first + this.#size - 1)
    this.#next = last + 1
    return { first, last }
  }
}

/**
 * One child counts for as long as there are pages. False when it did not come to its end: what it had counted is lost.
 */
export async function countRanges(
  reading: ReadingBuilder,
  child: Reader,
  { plan, key, ranges }: Counting,
): Promise<boolean> {
  const ready = await reading.step(child, {
    step: 'plan',
    plan,
    key,
    memoryBytesMax: Math.floor(reading.limits.memoryBytesMax / 2),
  })
  if (ready?.kind === 'not-possible') reading.skip('census', lessSeen(ready.why))
  if (ready?.kind !== 'ready') return false
  for (let range = ranges.take(); range !== null; range = ranges.take()) {
    if ((await reading.step(child, { step: 'scan', ...range })) === null) return false
    reading.counted(range.last - range.first + 1)
  }
  return true
}

/** What a child has counted; null when it did not come to its end. */
export async function countBeside(
  reading: ReadingBuilder,
  child: Reader,
  counting: Counting,
): Promise<CensusTally | null> {
  if (!(await countRanges(reading, child, counting))) return null
  return (await reading.step(child, { step: 'tally' }))?.tally ?? null
}

/** What is said where SQLite's own check has to do instead of the census. */
export const lessSeen = (why: string): string => `SQLite checked this instead of the census, and finds less: ${why}`
