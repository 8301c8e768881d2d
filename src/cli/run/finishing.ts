/** The last line of a run in the ledger: how it ended and what it came to, whatever ended it. */
import type { RunTotals } from '../../fleet/pipeline.ts'
import type { ServiceRun } from '../../fleet/run/service-run.ts'
import type { ExitCode } from '../../model/exit-code.ts'
import { Failure } from '../../model/failure.ts'
import type { ReportRun } from '../report-run/report-run.ts'

/** @param whole whether it is a sweep of everything at full depth @throws what the work throws */
export async function untilFinished<Done extends RunTotals & { readonly selected: number }>(
  { ledger }: ServiceRun,
  outcome: ReportRun,
  whole: boolean,
  work: () => Promise<Done>,
): Promise<Done> {
  const finished = (exitCode: ExitCode, { selected, covered }: Pick<Done, 'selected' | 'covered'>): Promise<void> =>
    ledger.append({
      kind: 'run-finished',
      exitCode,
      selected,
      covered,
      notCovered: outcome.notReached,
      whole: whole && outcome.settlesAny, // A sweep that could check nobody is no full sweep.
    })
  let done: Done
  try {
    done = await work()
  } catch (error) {
    // What failed may be the ledger itself: then nothing is written, and the failure is told.
    await finished(outcome.exitCodeOfTrouble(error), outcome.counts).catch((second: unknown) => {
      if (!(second instanceof Failure)) throw second
    })
    throw error
  }
  await finished(outcome.exitCode(done), done)
  return done
}
