/**
 * Puts results into the outbox that are only in the ledger: of chunks whose agent or process died, and all of them if
 * the outbox was lost or the fleet asks for them. What the fleet has already, it leaves out.
 */

import type { LedgerLine, LedgerReading } from '../../ledger/ledger.ts'
import type { TenantId } from '../../model/brand.ts'
import type { FailureCode } from '../../model/failure.ts'
import type { Result } from '../../model/result/report.ts'
import type { BegunChunk, Outbox } from './outbox.ts'
import { outgoingResult, type OutgoingResult } from './outgoing-result.ts'

/** A run of 50 tenants has fewer lines, unless each has hundreds of files. */
const linesMax = 10_000

/** These say that a tenant was not examined, and not what it is like: another attempt follows. */
const notExamined: ReadonlySet<string | undefined> = new Set<FailureCode>(['INTERRUPTED', 'PAUSE_NOT_GRANTED'])

export const isExamined = ({ failure }: Result): boolean => !notExamined.has(failure?.code)

/** The attempt of a result that takes the place of one of the same run on this machine. */
export const revised = <Part extends { readonly attempt: number }>(part: Part): Part => ({
  ...part,
  attempt: part.attempt + 1,
})

/** @throws {Failure} LEDGER_UNUSABLE */
export async function recoverChunk(ledger: LedgerReading, outbox: Outbox, chunk: BegunChunk): Promise<void> {
  const { lines } = await ledger.runLines(chunk.local, linesMax)
  outbox.put(chunk.local, resultsOf(lines.toReversed(), chunk))
}

/**
 * All results of the fleet that the ledger has; `tenants` null: of all tenants.
 * @returns how many
 * @throws {Failure} LEDGER_UNUSABLE
 */
export async function recoverAll(
  ledger: LedgerReading,
  outbox: Outbox,
  tenants: ReadonlySet<TenantId> | null,
): Promise<number> {
  let count = 0
  for (const chunk of await ledger.fleetRuns()) {
    const { lines } = await ledger.runLines(chunk.local, linesMax)
    const results = resultsOf(lines.toReversed(), chunk).filter(({ tenant }) => tenants?.has(tenant) ?? true)
    outbox.adoptChunk(chunk)
    outbox.put(chunk.local, results)
    count += results.length
  }
  return count
}

/**
 * The first result of a file has the attempt of its chunk, as the agent sends it. A later one that found damage is a
 * revision.
 * @param lines of one run, the oldest first
 */
function resultsOf(lines: readonly LedgerLine[], chunk: BegunChunk): readonly OutgoingResult[] {
  const seen = new Set<string>()
  return lines.flatMap(({ event, at }) => {
    if (event.kind !== 'checked' || !isExamined(event.result)) return []
    const { tenant, result } = event
    const isFirst = !seen.has(result.path)
    seen.add(result.path)
    if (isFirst) return [outgoingResult(chunk, tenant, result, at)]
    return result.verdict === 'damaged' ? [outgoingResult(revised(chunk), tenant, result, at)] : []
  })
}
