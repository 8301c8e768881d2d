/** The counting steps of the census: plan, scan and tally. Several readers share the pages among themselves. */
import type { CensusPlan } from '../../census/plan.ts'
import type { CensusTally } from '../../census/scan/tally.ts'
import type { Reader } from '../protocol.ts'
import type { ReadingBuilder } from '../reading-builder.ts'

export interface CountTask {
  readonly plan: CensusPlan
  /** Gives each range of pages to one reader only. */
  readonly ranges: Ranges
}

/** Bytes that one question counts: enough for reading ahead, and few enough for readers to end at the same time. */
export const rangeBytes = 16 << 20

export function beginCounting(plan: CensusPlan): CountTask {
  return { plan, ranges: new Ranges(plan.pages, Math.max(1, Math.floor(rangeBytes / plan.pageSize))) }
}

class Ranges {
  readonly #pages: number
  readonly #size: number
  #next = 1

  constructor(pages: number, size: number) {
    this.#pages = pages
    this.#size = size
  }

  /** null if all pages are given out. */
  take(): { readonly first: number; readonly last: number } | null {
    if (this.#next > this.#pages) return null
    const first = this.#next
    const last = Math.min(this.#pages, first + this.#size - 1)
    this.#next = last + 1
    return { first, last }
  }
}

/**
 * One reader takes the plan, then counts as long as there are pages.
 * @returns false if it did not get to the end: what it had counted is lost
 */
export async function runPlanAndScan(
  reading: ReadingBuilder,
  reader: Reader,
  { plan, ranges }: CountTask,
): Promise<boolean> {
  const ready = await reading.step(reader, {
    step: 'plan',
    plan,
    key: reading.key,
    memoryBytesMax: Math.floor(reading.limits.memoryBytesMax / 2),
  })
  if (ready?.kind === 'not-possible') reading.skip('census', whyLessWasChecked(ready.why))
  if (ready?.kind !== 'ready') return false
  for (let range = ranges.take(); range !== null; range = ranges.take()) {
    if ((await reading.step(reader, { step: 'scan', ...range })) === null) return false
    reading.addCounted(range.last - range.first + 1)
  }
  return true
}

/** As `runPlanAndScan`. @returns what the reader has counted; null if it did not get to the end */
export async function runPlanScanAndTally(
  reading: ReadingBuilder,
  reader: Reader,
  counting: CountTask,
): Promise<CensusTally | null> {
  if (!(await runPlanAndScan(reading, reader, counting))) return null
  return (await reading.step(reader, { step: 'tally' }))?.tally ?? null
}

/** What the coverage says if SQLite's own check replaces the census. */
export const whyLessWasChecked = (why: string): string =>
  `SQLite checked this instead of the census, and finds less: ${why}`
