import type { RunTotals } from '../../fleet/pipeline.ts'
import type { SweepObserver } from '../../fleet/sweep.ts'
import type { CommonOptions } from '../options.ts'
import { showProgress } from '../progress/progress.ts'
import type { ResultsDocument } from '../report-run/results-document.ts'
import type { Terminal } from '../terminal/terminal.ts'

/** Shows progress while `work` runs, and adds its results to the report. */
export async function withProgress<Done extends Pick<RunTotals, 'notCovered' | 'stopped'>>(
  terminal: Terminal,
  { quiet }: Pick<CommonOptions, 'quiet'>,
  document: ResultsDocument,
  work: (watching: SweepObserver) => Promise<Done>,
): Promise<Done> {
  using line = await showProgress(terminal, quiet ?? false)
  return await work({
    onSelected: (targets) => document.select(targets),
    onResult: (result) => document.add(result),
    onRevised: (result, before) => document.revise(result, before),
    onProgress: (progress) => line.update(progress),
  })
}
