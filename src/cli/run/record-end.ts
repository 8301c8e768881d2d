/** The last line of a run in the ledger: how it ended and what it found, whatever ended it. */
import type { RunAlarms } from '../../alarm/alarms.ts'
import type { BackupSurvey } from '../../model/event.ts'
import type { ExitCode } from '../../model/exit-code.ts'
import { Failure, signsOfHarm } from '../../model/failure.ts'
import { orFailure } from '../../model/or-failure.ts'
import type { SelectedFile } from '../../model/result/report.ts'
import { isGone } from '../../runs/begin/registry.ts'
import type { ServiceRun } from '../../runs/begin/service-run.ts'
import type { RunTotals } from '../../runs/pipeline.ts'
import { learnFrom } from './run-alarms.ts'

/** What the last line says of a report. */
export interface RecordedReport<Done> {
  /** Selected files that the run has not reached, as many as a report names. */
  readonly notReached: readonly SelectedFile[]
  readonly counts: { readonly selected: number; readonly covered: number; readonly notDue?: number }
  /** Whether any file has a verdict on its data, now or from the check that still counts. */
  readonly settlesAny: boolean
  exitCode(done: Done): ExitCode
  exitCodeOfError(error: unknown): ExitCode
}

type FinishedCounts = Pick<RunTotals, 'covered'> & Partial<Pick<RunTotals, 'stopped'>> & { readonly selected: number }

/**
 * @param whole whether it is a sweep of all tenants at full depth
 * @param alarms get to know what the ledger knows at the end; left out for a command that raises none
 * @throws what the work throws
 */
export async function withRecordedEnd<Done extends RunTotals & { readonly selected: number }>(
  service: ServiceRun,
  document: RecordedReport<Done>,
  whole: boolean,
  work: () => Promise<Done>,
  alarms: Pick<RunAlarms, 'learn'> | null = null,
): Promise<Done> {
  const { ledger } = service
  const record = async (exitCode: ExitCode, { selected, covered, stopped = null }: FinishedCounts) => {
    const own = await orNull(ledger.lastRuns(1).then(([newest]) => newest?.run ?? null))
    const backups = whole && own !== null ? await orNull(surveyBackups(service, own)) : null
    await ledger.append({
      kind: 'run-finished',
      exitCode,
      selected,
      covered,
      notCovered: document.notReached,
      notDue: document.counts.notDue ?? 0,
      whole: whole && document.settlesAny, // A sweep that could check no tenant is no full sweep.
      ...(backups === null ? {} : { backups }),
      ...(stopped !== null && signsOfHarm.has(stopped.code) ? { harm: stopped.code } : {}),
    })
    // The run has its end in the ledger: whatever is wrong with alarms does not change how it ended.
    await orNull(alarms?.learn((paused) => learnFrom(ledger, service.settings, own, paused)) ?? null)
  }
  let done: Done
  try {
    done = await work()
  } catch (error) {
    // The ledger itself may be what failed: then nothing is written, and the first failure is reported.
    await record(document.exitCodeOfError(error), document.counts).catch((second: unknown) => {
      if (!(second instanceof Failure)) throw second
    })
    throw error
  }
  await record(document.exitCode(done), done)
  return done
}

/** null if the ledger or the backups cannot be read. */
async function orNull<Value>(work: Promise<Value> | null): Promise<Value | null> {
  if (work === null) return null
  const value = await orFailure(work)
  return value instanceof Failure ? null : value
}

/** null if no backups are kept. */
async function surveyBackups({ context: { backups }, ledger }: ServiceRun, run: string): Promise<BackupSurvey | null> {
  if (backups === null) return null
  const results = await ledger.lastResults()
  return backups.survey(
    results.filter((result) => !isGone(result)),
    run,
  )
}
