/**
 * Puts results into the outbox that are only in the ledger. They are of chunks whose agent or process died, or of the
 * last days if the outbox was lost. If the fleet has lost its database, they are of all times. What the database has,
 * it leaves out.
 */

import type { LedgerLine, LedgerReader } from '../../ledger/ledger.ts'
import { newRunId } from '../../ledger/run-lock/run-id.ts'
import type { TenantId } from '../../model/brand.ts'
import type { FailureCode } from '../../model/failure.ts'
import type { Result } from '../../model/result/report.ts'
import { isWithoutAnswer } from '../../runs/begin/unanswered-row.ts'
import type { BegunChunk, Outbox } from './outbox.ts'
import { outgoingResult, type OutgoingResult } from './outgoing-result.ts'

/** A run of 50 tenants has fewer lines, unless each has hundreds of files. The ledger keeps fewer of one tenant. */
const linesMax = 10_000
/** Results of older runs were delivered, or the outbox was lost unnoticed for a week. */
const lostMs = 8 * 24 * 3_600_000

/** These say that a tenant was not examined, and not what it is like: another attempt follows. */
const notExamined: ReadonlySet<string | undefined> = new Set<FailureCode>(['INTERRUPTED', 'PAUSE_NOT_GRANTED'])

export const isExamined = ({ failure }: Result): boolean => !notExamined.has(failure?.code)

/** For a result that replaces an earlier one of the same run on this machine. */
export const nextAttempt = <Part extends { readonly attempt: number }>(part: Part): Part => ({
  ...part,
  attempt: part.attempt + 1,
})

/**
 * Without the results that only say that the service gave no answer: while the chunk runs, its agent tries these again.
 * @throws {Failure} LEDGER_UNUSABLE
 */
export async function recoverChunk(ledger: LedgerReader, outbox: Outbox, chunk: BegunChunk): Promise<void> {
  const { lines } = await ledger.runLines(chunk.local, linesMax)
  const answered = lines.filter(({ event }) => event.kind === 'checked' && !isWithoutAnswer(event.result))
  outbox.put(chunk.local, resultsOf(answered.toReversed(), chunk))
}

/** For an outbox that was made anew. @param now ms since 1970 @throws {Failure} LEDGER_UNUSABLE */
export async function recoverLostOutbox(ledger: LedgerReader, outbox: Outbox, now: number): Promise<void> {
  const since = newRunId(now - lostMs) // Ids of runs sort by time.
  for (const chunk of await ledger.fleetRuns()) {
    if (chunk.run < since) continue
    outbox.adoptChunk(chunk, true)
    await recoverChunk(ledger, outbox, chunk)
  }
}

/**
 * All that the ledger knows of these tenants. The last check of a file that no run of the fleet has made becomes a
 * result of the present one.
 * @throws {Failure} LEDGER_UNUSABLE
 */
export async function recoverTenants(
  ledger: LedgerReader,
  outbox: Outbox,
  tenants: readonly TenantId[],
  present: BegunChunk,
): Promise<void> {
  const chunks = new Map((await ledger.fleetRuns()).map((chunk) => [chunk.local, chunk]))
  for (const tenant of tenants) {
    const { lines } = await ledger.checks(tenant, linesMax)
    const newest = [...Map.groupBy(lines, pathOf).values()].flatMap(([line]) => line ?? [])
    const digests = await digestsOf(ledger, tenant, newest.map(pathOf))
    for (const [local, ofRun] of Map.groupBy(lines.toReversed(), ({ run }) => run)) {
      const chunk = chunks.get(local)
      if (chunk === undefined) continue
      outbox.adoptChunk(chunk, false)
      outbox.put(local, resultsOf(ofRun.map(digests), chunk))
    }
    const own = newest.filter(({ run }) => !chunks.has(run))
    outbox.put(present.local, resultsOf(own.map(digests), present))
  }
}

const pathOf = ({ event }: LedgerLine): string => (event.kind === 'checked' ? event.result.path : '')

/**
 * The line of a sound check has no tables: the ledger has their digests apart, of the last sound check of each file.
 * @returns a function that adds them to the line of that check, and returns all others as they are
 */
async function digestsOf(
  ledger: LedgerReader,
  tenant: TenantId,
  paths: readonly string[],
): Promise<(line: LedgerLine) => LedgerLine> {
  const known = await ledger.lastGood(paths.map((path) => ({ tenant, path })))
  const byCheck = new Map(known.flatMap((one) => (one === null ? [] : [[keyOf(one.run, one.path), one]])))
  return (line) => {
    const { event, run } = line
    if (event.kind !== 'checked' || event.result.verdict !== 'sound' || event.result.depth !== 'full') return line
    const good = byCheck.get(keyOf(run, event.result.path))
    if (good === undefined || good.basis === null) return line
    const content = { tables: good.content.tables, basis: good.basis }
    return { ...line, event: { ...event, result: { ...event.result, content } } }
  }
}

const keyOf = (run: string, path: string): string => JSON.stringify([run, path])

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
    return result.verdict === 'damaged' ? [outgoingResult(nextAttempt(chunk), tenant, result, at)] : []
  })
}
