/**
 * Makes the rows of the ledger's tables from events. They go to the ledger's process as they are stored, because text
 * crosses faster than whole events.
 */

import { invariant } from '../../model/bug.ts'
import type { Event } from '../../model/event.ts'
import type { KnownFile, LastGood } from '../../model/result/last-good.ts'
import { liveSetMark } from '../../model/result/live-set-mark.ts'
import type { Result } from '../../model/result/report.ts'
import type { SampleRound } from '../../model/result/sample.ts'
import { jsonOrNull } from '../../text/json-text.ts'
import type { CheckSummary } from './check-summary.ts'
import { condense } from './condense.ts'

/** A line as it is stored. */
export interface LineRow {
  readonly at: number
  readonly run: string
  /**
   * Unique within the run. A line is sent again if the process died before it answered; the number prevents that it is
   * written twice.
   */
  readonly number: number
  readonly kind: string
  readonly tenant: string | null
  readonly holder: string | null
  readonly path: string | null
  readonly verdict: string | null
  readonly depth: string | null
  readonly brief: string | null
  /** The event as JSON. */
  readonly event: string
}

/** The last sound check of a file, as it is stored. */
export interface LastGoodRow {
  /** Made by `fileName`. */
  readonly file: string
  readonly at: number
  /** All but the digests, as JSON. */
  readonly facts: string
  /** Digests of the groups of pages: four bytes each, little-endian. */
  readonly digests: Uint8Array
}

/** The round of samples of a file, as it is stored. */
export interface RoundRow {
  /** Made by `fileName`. */
  readonly file: string
  readonly at: number
  /** As JSON. */
  readonly facts: string
}

export function lineRow(at: number, run: string, number: number, event: Event): LineRow {
  invariant(Number.isSafeInteger(number) && Number.isSafeInteger(at), 'a line has whole numbers')
  const line = {
    at,
    run,
    number,
    kind: event.kind,
    tenant: null,
    holder: null,
    path: null,
    verdict: null,
    depth: null,
    brief: null,
    event: JSON.stringify(condense(event)),
  }
  switch (event.kind) {
    case 'run-started':
    case 'sweep-selected':
    case 'run-finished':
    case 'registry-read':
      return line
    case 'hold-asked':
    case 'hold-quiesced':
    case 'hold-ended':
    case 'resume-failed':
      return { ...line, tenant: event.tenant, holder: event.holder }
    case 'remedy-planned':
    case 'change-begun':
    case 'change-ended':
      return { ...line, tenant: event.tenant, path: pathColumn(event.path) }
    case 'checked':
      return {
        ...line,
        tenant: event.tenant,
        path: pathColumn(event.result.path),
        verdict: event.result.verdict,
        depth: event.result.depth,
        brief: JSON.stringify(summaryOf(event.result)),
      }
  }
}

/**
 * A path as a column of the ledger has it. SQLite would change text that is not well-formed (model/file-name.ts), so
 * such a path is stored as JSON. No absolute path looks like that.
 */
export const pathColumn = (path: string): string =>
  path.isWellFormed() && !path.startsWith('"') ? path : JSON.stringify(path)

/** The path of a column that `pathColumn` made. */
export function pathOfColumn(stored: string): string {
  const path = stored.startsWith('"') ? jsonOrNull(stored) : null
  return typeof path === 'string' ? path : stored
}

function summaryOf({ verdict, damage, depth, evidence, timings, failure }: Result): CheckSummary {
  const proof = evidence.proofs.at(-1)
  return {
    verdict,
    damage,
    level: evidence.level,
    depth,
    changeCounter: proof?.changeCounter ?? null,
    size: proof?.files.find((file) => file.part === '')?.size ?? null,
    walSalts: proof?.walSalts ?? null,
    mark: proof === undefined ? null : liveSetMark(proof.files, proof),
    pauseMs: timings.pauseMs,
    ranOutMs: timings.ranOutMs ?? null,
    failure: failure?.code ?? null,
  }
}

/** @param service null for bare files */
export function lastGoodRow(service: string | null, lastGood: LastGood): LastGoodRow {
  const { groups, ...pages } = lastGood.pages
  return {
    file: fileName(service, lastGood),
    at: lastGood.standing.provenAt,
    facts: JSON.stringify({ ...lastGood, pages }),
    digests: new Uint8Array(groups.buffer, groups.byteOffset, groups.byteLength),
  }
}

/** @param service null for bare files @param at ms since 1970 */
export const roundRow = (service: string | null, round: SampleRound, at: number): RoundRow => ({
  file: fileName(service, round),
  at,
  facts: JSON.stringify(round),
})

/** With the service, because two services may have a tenant of the same name. */
export const fileName = (service: string | null, { tenant, path }: KnownFile): string =>
  JSON.stringify(service === null ? [tenant, path] : [service, tenant, path])
