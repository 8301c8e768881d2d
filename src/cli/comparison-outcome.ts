/** Prints what a comparison came to: with `--json` exactly one document, whatever came of it. */
import type { RunId } from '../model/brand.ts'
import type { Compared, ComparedSide, ComparisonReport, Sided } from '../model/comparison.ts'
import type { ExitCode } from '../model/exit-code.ts'
import { Failure } from '../model/failure.ts'
import type { RunFailure } from '../model/report.ts'
import { redactComparison, renderComparisonJson } from '../report/comparison-json.ts'
import { exitCodeOfComparison, outcomeOf, summaryOfComparison } from '../report/comparison-summary.ts'
import { renderComparison } from '../report/comparison-text.ts'
import type { Face } from './face.ts'
import type { OutcomeOptions } from './outcome.ts'
import { describeTrouble, exitCodeOfTrouble, tellTrouble } from './trouble.ts'

export interface ComparisonRun {
  readonly id: RunId
  /** The two words of the command line; null where it was not understood. */
  readonly given: Sided<string> | null
}

/** Does the work and prints. @returns the run's exit code */
export async function tellComparison(face: Face, options: OutcomeOptions, run: ComparisonRun, work: () => Promise<Compared>): Promise<ExitCode> {
  const startedAt = new Date().toISOString()
  const describe = (compared: Compared, exitCode: ExitCode, failure: RunFailure | null): ComparisonReport => ({
    schema: 'holdfast.compare/1', tool: { version: face.version, sqlite: sqliteOf(compared) },
    run: { id: run.id, mode: 'compare', startedAt, finishedAt: new Date().toISOString(), registry: registryOf(compared) },
    sides: compared.sides, outcome: outcomeOf(compared.comparison), why: compared.comparison?.why ?? whyUnread(compared, failure),
    tables: compared.comparison?.tables ?? [], schemaDifferences: compared.comparison?.schemaDifferences ?? [],
    ...(failure === null ? {} : { failure }), summary: summaryOfComparison(compared.comparison, exitCode),
  })
  let compared: Compared
  try {
    compared = await work()
  } catch (error) {
    const exitCode = exitCodeOfTrouble(error, face.interrupt.exitCode())
    if (options.json) await face.out(renderComparisonJson(describe(nothingOf(run), exitCode, describeTrouble(error))))
    if (!(error instanceof Failure && error.code === 'INTERRUPTED')) tellTrouble(face, error)
    return exitCode
  }
  const exitCode = exitCodeOfComparison(compared, face.interrupt.exitCode())
  const whole = describe(compared, exitCode, null)
  const report = options.redactKeys ? redactComparison(whole) : whole
  if (options.json) await face.out(renderComparisonJson(report))
  else if (!options.quiet || exitCode !== 0) await face.out(renderComparison(report, { width: face.width, color: face.color, verbose: options.verbose ?? false }))
  return exitCode
}

const sqliteOf = ({ sides }: Compared): string => sides.a.result?.readBy?.sqlite ?? sides.b.result?.readBy?.sqlite ?? 'none'
const registryOf = ({ sides }: Compared): 'none' | 'live' => (sides.a.kind === 'tenant' || sides.b.kind === 'tenant' ? 'live' : 'none')

/** Why there is no comparison; null where there is one, or a failure says it. */
function whyUnread({ sides, comparison }: Compared, failure: RunFailure | null): string | null {
  if (comparison !== null || failure !== null) return null
  const unread = ([['A', sides.a], ['B', sides.b]] as const).filter(([, { result }]) => result !== null && result.readBy === null).map(([name]) => name)
  return `${unread.join(' and ')} could not be read`
}

function nothingOf({ given }: ComparisonRun): Compared {
  const sideOf = (word: string): ComparedSide => ({ given: word, kind: 'unknown', result: null })
  return { sides: { a: sideOf(given?.a ?? ''), b: sideOf(given?.b ?? '') }, comparison: null }
}
