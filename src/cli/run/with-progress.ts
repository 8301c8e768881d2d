import type { RunAlarms } from '../../alarm/alarms.ts'
import type { RunTotals } from '../../runs/pipeline.ts'
import type { SweepObserver } from '../../runs/sweep.ts'
import { logResult } from '../log/log.ts'
import type { CommonOptions } from '../options.ts'
import { showProgress } from '../progress/progress.ts'
import type { ResultsDocument } from '../report-run/results-document.ts'
import type { Terminal } from '../terminal/terminal.ts'

/** Shows progress while `work` runs, and adds its results to the report and to the alarms. */
export async function withProgress<Done extends Pick<RunTotals, 'notCovered' | 'stopped'>>(
  terminal: Terminal,
  { quiet, logLevel }: Pick<CommonOptions, 'quiet' | 'logLevel'>,
  document: ResultsDocument,
  work: (watching: SweepObserver) => Promise<Done>,
  alarms: Pick<RunAlarms, 'consider' | 'revise'> | null = null,
): Promise<Done> {
  using line = await showProgress(terminal, quiet ?? false)
  return await work({
    onSelected: (targets, notDue) => document.select(targets, notDue),
    ...resultRecorder(terminal, { logLevel }, document, alarms),
    onProgress: (progress) => line.update(progress),
  })
}

/** Adds each result to the log, to the report and to the alarms. */
export const resultRecorder = (
  terminal: Terminal,
  { logLevel }: Pick<CommonOptions, 'logLevel'>,
  document: ResultsDocument,
  alarms: Pick<RunAlarms, 'consider' | 'revise'> | null,
): Pick<SweepObserver, 'onResult' | 'onRevised'> => ({
  onResult: (result) => {
    logResult(terminal, document.run, logLevel, result)
    document.add(result)
    alarms?.consider(result)
  },
  onRevised: (result, before) => {
    document.revise(result, before)
    alarms?.revise(result, before)
  },
})
