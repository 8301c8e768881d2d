/** The newest results come in pages: one message with those of 100,000 files would take much memory on both sides. */

import type { LastResult } from './ledger.ts'
import { unpackResults } from './lines/packed-results.ts'
import { answerMax, type FileKey } from './protocol.ts'

interface Page {
  readonly packed: string
  /** null after the last page. */
  readonly next: FileKey | null
}

/** @returns at most `answerMax.lastResults`, and whether there are more */
export async function readPages(
  ask: (after: FileKey | null) => Promise<Page>,
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
