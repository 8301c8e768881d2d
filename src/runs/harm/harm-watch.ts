/**
 * I1.8: holdfast suspects itself. A file that an earlier check of this run or incident found sound, and that is damaged
 * now, stops the run. Where several tenants are found damaged, some that were found sound are looked at again. A
 * program that does harm beside a run shows in no other way.
 */

import type { Incident } from '../../ledger/incident.ts'
import type { Ledger, LedgerLine } from '../../ledger/ledger.ts'
import type { RunId, TenantId } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import type { Result } from '../../model/result/report.ts'
import { count } from '../../text/count.ts'
import type { Target } from '../begin/target.ts'

/** One or two damaged tenants are bad luck. From this many on, each time it doubles, others are examined again. */
const damagedTogether = 3
/** So many tenants are examined again each time. */
const lookedAtAgain = 16
/** So many tenants that were found sound are remembered: the first ones, which had the longest time to be harmed. */
const soundRemembered = 128
/** So many of the newest lines of a damaged tenant are read. */
const linesRead = 1_000

export interface HarmTerms {
  readonly ledger: Pick<Ledger, 'history'>
  readonly run: RunId
  /** Its earlier runs count as this one; null without an incident. */
  readonly incident: Incident | null
  /** Called with a sentence for the report if some tenants are not examined again. */
  readonly onNotice: (notice: string) => void
}

/** An earlier check that found a file sound. */
interface EarlierSoundCheck {
  readonly at: number
  readonly run: string
  readonly depth: Result['depth']
}

export class HarmWatch {
  readonly #terms: HarmTerms
  readonly #damaged = new Set<TenantId>()
  readonly #sound = new Map<TenantId, Target>()
  #lookAgainAt = damagedTogether
  /** Tenants that were found sound beyond those in `#sound`. */
  #soundBeyond = 0

  constructor(terms: HarmTerms) {
    this.#terms = terms
  }

  /**
   * Compares a damaged file with earlier checks. To be called before the result is written to the ledger.
   * @returns HARM_SUSPECTED if the file was sound before; else null
   * @throws {Failure} LEDGER_UNUSABLE
   */
  async consider(result: Result): Promise<Failure | null> {
    const { tenant, verdict } = result
    if (tenant === null) return null
    if (verdict === 'sound') this.#remember(tenant, result.path)
    // A rule of the application that is violated is no damage of the file.
    if (verdict !== 'damaged' || result.damage === 'none') return null
    this.#damaged.add(tenant)
    this.#sound.delete(tenant)
    const before = soundBefore(await this.#terms.ledger.history(tenant, linesRead), result, this.#isOurs)
    return before === null ? null : harmFailure(result, before, this.#terms.run)
  }

  /** The files to examine again before any other; mostly none. Each tenant is named once in a run. */
  takeDue(): readonly Target[] {
    if (this.#damaged.size < this.#lookAgainAt) return []
    while (this.#lookAgainAt <= this.#damaged.size) this.#lookAgainAt *= 2
    const due = [...this.#sound].slice(0, lookedAtAgain)
    for (const [tenant] of due) this.#sound.delete(tenant)
    const left = this.#sound.size + this.#soundBeyond
    if (left > 0)
      this.#terms.onNotice(
        `${count(this.#damaged.size, 'tenant')} are damaged, and something may be doing harm during this run: it ` +
          `checks ${due.length} tenants again that it found sound, and not the other ${left}`,
      )
    return due.map(([, target]) => target)
  }

  #remember(tenant: TenantId, named: string): void {
    if (this.#sound.has(tenant)) return
    if (this.#sound.size < soundRemembered) this.#sound.set(tenant, { tenant, named })
    else this.#soundBeyond++
  }

  readonly #isOurs = (run: string): boolean => run === this.#terms.run || (this.#terms.incident?.runs.has(run) ?? false)
}

/**
 * The newest check that settled the file, if it was as deep as this one and found the file sound. It must be of this
 * run or incident. Null also if the damage is known already, or if a person has put a damaged original back since.
 * @param lines of the tenant, newest first
 */
function soundBefore(
  lines: readonly LedgerLine[],
  { path, depth }: Pick<Result, 'path' | 'depth'>,
  isOurs: (run: string) => boolean,
): EarlierSoundCheck | null {
  for (const { at, run, event } of lines) {
    if (event.kind === 'change-ended' && event.path === path && event.how !== 'applied') return null
    if (event.kind !== 'checked' || event.result.path !== path) continue
    const earlier = event.result
    if (earlier.verdict === 'damaged' && earlier.damage !== 'none') return null
    if (earlier.verdict !== 'sound' || (depth === 'full' && earlier.depth === 'quick')) continue
    return isOurs(run) ? { at, run, depth: earlier.depth } : null
  }
  return null
}

function harmFailure({ tenant, path, failure }: Result, before: EarlierSoundCheck, run: RunId): Failure {
  const when = new Date(before.at).toISOString()
  const where = before.run === run ? 'in this run' : `in run ${before.run} of this incident`
  const message =
    `${tenant}: ${path} was found sound ${where} at ${when} (depth ${before.depth}), and it is damaged now: ` +
    'holdfast, another program that writes to it, or a lock that does not hold may be the cause'
  const found = new Failure('HARM_SUSPECTED', message)
  return failure === undefined ? found : found.withTenant(failure.tenantState)
}
