/**
 * Collects what a comparison comes to, and prints it: with `--json` exactly one document, whatever came of it. Files
 * are spooled, so that memory does not grow with them.
 */
import type { GivenSide } from '../../fleet/compare/sides.ts'
import type { RunId } from '../../model/brand.ts'
import type { ExitCode } from '../../model/exit-code.ts'
import type { SideOfComparison, ComparisonReport, FileComparison, Sided } from '../../model/result/comparison.ts'
import type { RunFailure } from '../../model/result/report.ts'
import { comparisonJson, fileRedactor } from '../../report/comparison/comparison-json.ts'
import { ComparisonTally } from '../../report/comparison/comparison-summary.ts'
import { comparisonText } from '../../report/comparison/comparison-text.ts'
import { describeError, exitCodeOfError, reportError, withHint } from '../terminal/errors.ts'
import type { Terminal } from '../terminal/terminal.ts'
import type { ReportRunOptions } from './report-run.ts'
import { Spool } from './spool.ts'

export interface ComparisonRun {
  readonly id: RunId
  /** The two words of the command line; null where it was not understood. */
  readonly given: Sided<string> | null
}

export class ReportComparison implements Disposable {
  readonly #face: Terminal
  readonly #options: ReportRunOptions
  readonly #run: { readonly id: RunId; readonly startedAt: string }
  readonly #redact: (file: FileComparison) => FileComparison
  readonly #spool = new Spool<FileComparison>('file')
  readonly #tally = new ComparisonTally()
  #sides: Sided<SideOfComparison>
  #sqlite = 'none'

  constructor(face: Terminal, options: ReportRunOptions, { id, given }: ComparisonRun) {
    this.#face = face
    this.#options = options
    this.#run = { id, startedAt: new Date().toISOString() }
    this.#redact = options.redactKeys ? fileRedactor() : (file) => file
    this.#sides = { a: { given: given?.a ?? '', kind: 'unknown' }, b: { given: given?.b ?? '', kind: 'unknown' } }
  }

  /** What the two words were taken for. */
  tellSides({ a, b }: Sided<GivenSide>): void {
    this.#sides = { a: { given: a.given, kind: a.kind }, b: { given: b.given, kind: b.kind } }
  }

  add(file: FileComparison): void {
    this.#tally.add(file)
    this.#sqlite = file.results.a?.readBy?.sqlite ?? file.results.b?.readBy?.sqlite ?? this.#sqlite
    const { a, b } = file.results
    const results = { a: a && withHint(a, this.#face.commandLine), b: b && withHint(b, this.#face.commandLine) }
    this.#spool.add(this.#redact({ ...file, results }))
  }

  /** Does the work and prints. A run that fails loses no file that it was done with. @returns the run's exit code */
  async of(work: () => Promise<void>): Promise<ExitCode> {
    const { interrupt } = this.#face
    try {
      await work()
    } catch (error) {
      const own = exitCodeOfError(error, interrupt.exitCode())
      const exitCode =
        this.#tally.results === 0 ? own : this.#tally.exitCode({ failed: own, signal: interrupt.exitCode() })
      // First the files, so that the trouble is the last thing that a person reads.
      if (this.#options.json || this.#tally.results > 0)
        await this.#print(exitCode, describeError(error, this.#face.commandLine))
      reportError(this.#face, error)
      return exitCode
    }
    const exitCode = this.#tally.exitCode({ failed: null, signal: interrupt.exitCode() })
    await this.#print(exitCode, null)
    return exitCode
  }

  async #print(exitCode: ExitCode, failure: RunFailure | null): Promise<void> {
    const { json, quiet, verbose, copied } = this.#options
    if (!json && quiet && exitCode === 0) return
    const { version, width, cuts, color, commandLine } = this.#face
    const { a, b } = this.#sides
    const ofService = (a.kind === 'tenant' || b.kind === 'tenant') && (failure === null || this.#tally.results > 0)
    const report: Omit<ComparisonReport, 'files'> = {
      schema: 'holdfast.compare/1',
      tool: { version, sqlite: this.#sqlite },
      run: {
        id: this.#run.id,
        mode: 'compare',
        startedAt: this.#run.startedAt,
        finishedAt: new Date().toISOString(),
        registry: ofService ? 'live' : 'none',
      },
      sides: this.#sides,
      outcome: this.#tally.outcome,
      ...(failure === null ? {} : { failure }),
      summary: { ...this.#tally.counts, exitCode },
    }
    const files = this.#spool.all()
    if (json) for (const piece of comparisonJson(report, files)) await this.#face.out(piece)
    else
      for (const piece of comparisonText(report, files, {
        width,
        cuts,
        color,
        verbose: verbose ?? false,
        config: commandLine.config,
        copied: copied ?? false,
      }))
        await this.#face.print(piece)
  }

  [Symbol.dispose](): void {
    this.#spool[Symbol.dispose]()
  }
}
