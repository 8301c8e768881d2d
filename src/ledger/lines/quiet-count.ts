/** Files of which there is nothing to say. Most are of that kind, and a reader of `status` gets their number alone. */

import { ageOf } from '../../model/age.ts'
import type { QuietFiles, RecordedCheck } from '../ledger.ts'
import type { QuietTerms } from '../protocol.ts'

/** The newest check of a file, and the newest one that settles it. */
export interface FileChecks extends Pick<RecordedCheck, 'verdict' | 'level'> {
  readonly failure: string | null
  readonly settled: Pick<RecordedCheck, 'at' | 'verdict'> | null
}

/** Counts quiet files beyond the first few of each kind. */
export class QuietCount {
  readonly #terms: QuietTerms | null
  #freshListed = 0
  #staleListed = 0
  #fresh = 0
  #stale = 0
  #pinned = 0
  #oldestAt: number | null = null

  /** @param terms null: no file is counted */
  constructor(terms: QuietTerms | null) {
    this.#terms = terms
  }

  get files(): QuietFiles {
    return { fresh: this.#fresh, stale: this.#stale, pinned: this.#pinned, oldestAt: this.#oldestAt }
  }

  /** @returns false for a file that must be listed */
  takes({ verdict, level, failure, settled }: FileChecks): boolean {
    const terms = this.#terms
    if (terms === null || settled === null || failure !== null) return false
    if (verdict !== 'sound' || settled.verdict !== 'sound') return false
    if (ageOf(settled.at, terms.now) === null) return false
    const isFresh = settled.at >= terms.since
    if (isFresh && this.#freshListed < terms.freshListed) this.#freshListed++
    else if (!isFresh && this.#staleListed < terms.staleListed) this.#staleListed++
    else {
      if (isFresh) this.#fresh++
      else this.#stale++
      if (level === 'pinned') this.#pinned++
      this.#oldestAt = Math.min(this.#oldestAt ?? settled.at, settled.at)
      return true
    }
    return false
  }
}
