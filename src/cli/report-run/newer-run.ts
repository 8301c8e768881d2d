/** A run without a report is easily overlooked: who asks for the newest report must hear of it. */
import { wayOf } from '../../config/service-way.ts'
import type { Settings } from '../../config/settings.ts'
import type { RecordedRun } from '../../ledger/ledger.ts'
import { keptReports, type KeptReport } from '../../ledger/reports/kept-reports.ts'
import { Failure } from '../../model/failure.ts'
import { orFailure } from '../../model/or-failure.ts'
import { printable } from '../../text/printable.ts'
import { ledgerToRead } from '../read-ledger.ts'

const runsReadMax = 100

/**
 * @param taken the newest report that fits
 * @returns that a newer run has no report, in a sentence; null if there is none, or if the ledger cannot be read
 */
export async function describeNewerRun(settings: Settings, { heading: taken }: KeptReport): Promise<string | null> {
  const runs = await orFailure(newestRuns(settings))
  if (runs instanceof Failure) return null
  const kept = new Set(keptReports(settings.ledger.dir, settings.service.name).map(({ heading }) => heading.run))
  const newest = runs.find(({ run, startedAt }) => startedAt > Date.parse(taken.startedAt) && !kept.has(run))
  if (newest === undefined) return null
  const { run, mode, startedAt, finished } = newest
  const end = finished === null ? 'has not ended' : `ended with exit code ${finished.exitCode}`
  return (
    `the report is of run ${printable(taken.run)}, a ${printable(taken.mode)} of ${printable(taken.startedAt)}. ` +
    `A newer run has none: ${printable(run)}, a ${printable(mode)} of ${new Date(startedAt).toISOString()}, ${end}`
  )
}

async function newestRuns(settings: Settings): Promise<readonly RecordedRun[]> {
  await using ledger = await ledgerToRead(settings.ledger.dir, wayOf(settings))
  return await ledger.lastRuns(runsReadMax)
}
