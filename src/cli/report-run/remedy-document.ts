/** The report of `repair`, `restore` and `salvage`: outcomes are kept until they are printed. */
import type { Settings } from '../../config/settings.ts'
import type { RunId } from '../../model/brand.ts'
import type { ExitCode } from '../../model/exit-code.ts'
import { exitCodeOfFailure } from '../../model/failures/exit-of-failure.ts'
import type { RemedyOutcome, RemedyReport } from '../../model/result/remedy.ts'
import type { SelectedFile } from '../../model/result/report.ts'
import { remedyJson, remedyRedactor } from '../../report/remedy/remedy-json.ts'
import { RemedyTally, type RemedyMode } from '../../report/remedy/remedy-summary.ts'
import { remedyText } from '../../report/remedy/remedy-text.ts'
import { hintFor } from '../../report/text/hint.ts'
import type { TextOptions } from '../../report/text/result-words.ts'
import type { RunTotals } from '../../runs/pipeline.ts'
import type { ReportOptions } from '../options.ts'
import { exitCodeOfError } from '../terminal/errors.ts'
import type { Terminal } from '../terminal/terminal.ts'
import type { ReportDocument, ReportEnd } from './print-report.ts'
import type { ReportKeeper } from './report-keeper.ts'
import { RunFacts } from './run-facts.ts'

type RemedyEnd = Pick<RunTotals, 'stopped'>

/** A remedy has few targets, so their outcomes stay in memory. */
export class RemedyDocument extends RunFacts<RemedyMode> implements ReportDocument<RemedyEnd> {
  readonly #terminal: Pick<Terminal, 'version' | 'commandLine' | 'interrupt' | 'say'>
  readonly #redact: (outcome: RemedyOutcome) => RemedyOutcome
  readonly #tally: RemedyTally
  readonly #outcomes: RemedyOutcome[] = []
  #sqlite = 'none'
  /** null if the report is not kept. */
  #keeper: ReportKeeper<RemedyOutcome> | null = null

  constructor(
    terminal: Pick<Terminal, 'version' | 'commandLine' | 'interrupt' | 'say'>,
    { redactKeys }: Pick<ReportOptions, 'redactKeys'>,
    run: { readonly id: RunId; readonly mode: RemedyMode; readonly registry: 'none' | 'live' },
  ) {
    super(run)
    this.#terminal = terminal
    this.#redact = redactKeys ? remedyRedactor() : (outcome) => outcome
    this.#tally = new RemedyTally(run.mode)
  }

  add({ result, check, account }: RemedyOutcome): void {
    const hinted =
      result.failure === null
        ? result
        : { ...result, failure: { ...result.failure, hint: hintFor(result.failure, this.#terminal.commandLine) } }
    this.reached(result.tenant, result.path)
    this.#tally.add(hinted)
    this.#sqlite = check?.readBy?.sqlite ?? this.#sqlite
    const outcome = this.#redact({ result: hinted, check, account })
    this.#outcomes.push(outcome)
    this.#keeper?.add(outcome)
  }

  get isEmpty(): boolean {
    return this.#outcomes.length === 0
  }

  get counts(): { readonly selected: number; readonly covered: number } {
    return { selected: this.#outcomes.length + this.pending.size, covered: this.#outcomes.length }
  }

  get notReached(): readonly SelectedFile[] {
    return [...this.pending.values()]
  }

  /** No run of remedies is a full sweep. */
  readonly settlesAny = false

  exitCode({ stopped }: RemedyEnd): ExitCode {
    const code = stopped === null ? null : exitCodeOfFailure(stopped)
    return this.#tally.exitCode(this.counts.selected, code, this.#terminal.interrupt.exitCode())
  }

  /** Without results the error's own code (usage, configuration), else the gravest of all. */
  exitCodeOfError(error: unknown): ExitCode {
    const signal = this.#terminal.interrupt.exitCode()
    const own = exitCodeOfError(error, signal)
    return this.isEmpty ? own : this.#tally.exitCode(this.counts.selected, own, signal)
  }

  /** Has the report kept beside the ledger, when it is printed. What that needs is loaded only now. */
  async keepWith(settings: Pick<Settings, 'ledger' | 'service' | 'check'>): Promise<void> {
    this.warnOf(settings, this.#terminal)
    const { ReportKeeper } = await import('./report-keeper.ts')
    this.#keeper = new ReportKeeper(settings, this.#terminal, (outcome) => outcome)
  }

  async keep(end: ReportEnd<RemedyEnd>): Promise<void> {
    if (!this.isEmpty) await this.#keeper?.keep(this.#frame(end), (outcomes) => outcomes)
  }

  json(end: ReportEnd<RemedyEnd>): Iterable<string> {
    return remedyJson(this.#frame(end), this.#outcomes)
  }

  text(end: ReportEnd<RemedyEnd>, options: TextOptions): Iterable<string> {
    return [remedyText(this.#frame(end), this.#outcomes, options)]
  }

  #frame({ exitCode, ending, failure }: ReportEnd<RemedyEnd>): Omit<RemedyReport, 'results'> {
    return {
      schema: 'holdfast.remedy/1',
      tool: { version: this.#terminal.version, sqlite: this.#sqlite },
      run: this.runOf(ending?.stopped ?? null, failure !== null && this.isEmpty),
      ...(failure === null ? {} : { failure }),
      summary: this.#tally.summary(this.counts.selected, exitCode),
    }
  }

  [Symbol.dispose](): void {
    this.#keeper?.[Symbol.dispose]()
  }
}
