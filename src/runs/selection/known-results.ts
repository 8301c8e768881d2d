/** What the ledger knows of each file that a sweep may take. Pure. */

import type { LastResult } from '../../ledger/ledger.ts'
import { ageOf } from '../../model/age.ts'
import type { SweepScope } from '../../model/event.ts'
import type { Target } from '../begin/target.ts'

export class KnownResults {
  readonly #results: ReadonlyMap<string, LastResult>

  constructor(results: readonly LastResult[]) {
    this.#results = new Map(results.map((result) => [JSON.stringify([result.tenant, result.path]), result]))
  }

  /** null for a file that was never checked. */
  of({ tenant, named }: Target): LastResult | null {
    return this.#results.get(JSON.stringify([tenant, named])) ?? null
  }
}

/**
 * True if the newest check of a file is part of a sweep: it came after the sweep began, and was as deep.
 * @param now ms since 1970; a check at a time in the future does not count
 */
export const isPartOfSweep = (
  result: LastResult | null,
  { since, depth }: Pick<SweepScope, 'since' | 'depth'>,
  now: number,
): boolean =>
  result !== null &&
  result.at >= since &&
  ageOf(result.at, now) !== null &&
  (result.depth === depth || result.depth === 'full')
