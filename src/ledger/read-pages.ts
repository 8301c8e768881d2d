/** The newest results come in pages: one message with those of 100,000 files would take much memory on both sides. */

import type { AllResults, LastResult, NotableResults, QuietFiles } from './ledger.ts'
import { unpackResults } from './lines/packed-results.ts'
import { QuietCount } from './lines/quiet-count.ts'
import { answerMax, type FileKey, type QuietTerms } from './protocol.ts'

export interface ResultPage {
  readonly packed: string
  /** null after the last page. */
  readonly next: FileKey | null
  /** The quiet files of this page that are left out. */
  readonly quiet: QuietFiles
}

/** @returns at most `answerMax.lastResults`, and whether there are more */
export async function readPages(
  ask: (after: FileKey | null) => Promise<ResultPage>,
): Promise<{ readonly results: readonly LastResult[]; readonly more: boolean }> {
  const all: LastResult[] = []
  let coming = ask(null)
  for (;;) {
    const { packed, next } = await coming
    const more = next !== null && all.length < answerMax.lastResults
    // Asked for before this page is read: both processes work at the same time.
    if (more) coming = ask(next)
    all.push(...unpackResults(packed))
    if (!more) return { results: all, more: next !== null }
  }
}

/** So many quiet files of each kind are listed: as many as a reader wants to see by name. */
const quietListedMax = 20

/**
 * Keeps the pages as they came: results of 100,000 files are 30 MB of text, and ten times as much as objects.
 * @returns at most `answerMax.lastResults`, and whether there are more
 */
export async function readAll(
  ask: (after: FileKey | null) => Promise<ResultPage>,
  terms: Pick<QuietTerms, 'since' | 'now'>,
): Promise<AllResults & { readonly more: boolean }> {
  const pages: string[] = []
  const notable: LastResult[] = []
  const quiet = new QuietCount({ ...terms, freshListed: quietListedMax, staleListed: quietListedMax })
  let read = 0
  let next: FileKey | null = null
  do {
    const page: ResultPage = await ask(next)
    const results = unpackResults(page.packed)
    notable.push(...results.filter((result) => !quiet.takes(result)))
    pages.push(page.packed)
    read += results.length
    next = page.next
  } while (next !== null && read < answerMax.lastResults)
  return { all: eachOf(pages), notable: { results: notable, others: quiet.files }, more: next !== null }
}

const eachOf = (pages: readonly string[]): Iterable<LastResult> => ({
  *[Symbol.iterator]() {
    for (const page of pages) yield* unpackResults(page)
  },
})

/** Leaves the quiet files out, but for a few. */
export async function readNotable(
  ask: (after: FileKey | null, listed: Pick<QuietTerms, 'freshListed' | 'staleListed'>) => Promise<ResultPage>,
): Promise<NotableResults> {
  const results: LastResult[] = []
  let others: QuietFiles = { fresh: 0, stale: 0, pinned: 0, oldestAt: null }
  let next: FileKey | null = null
  let [freshListed, staleListed] = [quietListedMax, quietListedMax]
  do {
    const page: ResultPage = await ask(next, { freshListed, staleListed })
    results.push(...unpackResults(page.packed))
    // A page that had to count some has listed as many as it might.
    if (page.quiet.fresh > 0) freshListed = 0
    if (page.quiet.stale > 0) staleListed = 0
    others = sumOf(others, page.quiet)
    next = page.next
  } while (next !== null)
  return { results, others }
}

const sumOf = (one: QuietFiles, other: QuietFiles): QuietFiles => ({
  fresh: one.fresh + other.fresh,
  stale: one.stale + other.stale,
  pinned: one.pinned + other.pinned,
  oldestAt:
    one.oldestAt === null || other.oldestAt === null
      ? (one.oldestAt ?? other.oldestAt)
      : Math.min(one.oldestAt, other.oldestAt),
})
