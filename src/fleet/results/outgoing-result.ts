/** A result on its way to the fleet's database. */

import { condense } from '../../ledger/lines/condense.ts'
import type { TenantId } from '../../model/brand.ts'
import type { FailureCode } from '../../model/failure.ts'
import type { DamageClass } from '../../model/result/finding.ts'
import type { Result } from '../../model/result/report.ts'
import type { ContentBasis, ReportedTable, VerdictWord } from '../../model/result/verdict.ts'
import { storedPath } from './stored-path.ts'

/** Together with the host, this names a result once and for ever. */
export interface ResultKey {
  /** The run of the fleet. */
  readonly run: string
  readonly tenant: TenantId
  /** As `storedPath` writes it; empty for a tenant that the service does not list and whose files are not known. */
  readonly path: string
  readonly attempt: number
}

export interface OutgoingResult extends ResultKey {
  readonly week: string
  readonly verdict: VerdictWord
  readonly damage: DamageClass
  readonly failure: FailureCode | null
  /** A quick check neither refreshes a full one nor clears damage. */
  readonly settles: boolean
  /** ms since 1970 by the clock of this machine. */
  readonly checkedAt: number
  /** The whole report; null for a sound file, whose report is in the ledger of its host. */
  readonly report: Result | null
  /** The tables of a file that was read; null if none are known, as for a sound file that only the ledger knows. */
  readonly content: readonly StoredContent[] | null
}

type StoredContent = ReportedTable & { readonly basis?: ContentBasis }

export interface ResultOrigin {
  readonly run: string
  readonly week: string
  readonly attempt: number
}

export function outgoingResult(
  { run, week, attempt }: ResultOrigin,
  tenant: TenantId,
  result: Result,
  checkedAt: number,
): OutgoingResult {
  const { path, verdict, damage, depth, failure, content } = result
  return {
    run,
    week,
    attempt,
    tenant,
    path: storedPath(path),
    verdict,
    damage,
    failure: failure?.code ?? null,
    settles: verdict === 'damaged' || (verdict === 'sound' && depth === 'full'),
    checkedAt,
    report: verdict === 'sound' ? null : condenseResult(tenant, result),
    content: content.tables.length === 0 ? null : storedContent(content),
  }
}

const tablesMax = 1000

/** Beside each digest: what others must have in common with it to be comparable. */
const storedContent = ({ tables, basis }: Result['content']): readonly StoredContent[] =>
  tables.slice(0, tablesMax).map((table) => (basis === undefined ? table : { ...table, basis }))

/** As the ledger keeps it: the first findings with their totals, and no map. */
function condenseResult(tenant: TenantId, result: Result): Result {
  const event = condense({ kind: 'checked', tenant, result })
  return event.kind === 'checked' ? event.result : result
}
