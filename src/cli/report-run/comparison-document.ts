/** The report of `compare`: files are spooled, so that memory does not grow with them. */

import type { RunId } from '../../model/brand.ts'
import type { RegistrySource } from '../../model/event.ts'
import type { ExitCode } from '../../model/exit-code.ts'
import type { ComparisonReport, FileComparison, SidePair, SideOfComparison } from '../../model/result/comparison.ts'
import { comparisonJson, fileRedactor } from '../../report/comparison/comparison-json.ts'
import { ComparisonTally } from '../../report/comparison/comparison-summary.ts'
import { comparisonText } from '../../report/comparison/comparison-text.ts'
import { registryWord } from '../../report/registry-line.ts'
import type { TextOptions } from '../../report/text/result-words.ts'
import type { GivenSide } from '../../runs/compare/sides.ts'
import type { ReportOptions } from '../options.ts'
import { exitCodeOfError, withHint } from '../terminal/errors.ts'
import type { Terminal } from '../terminal/terminal.ts'
import type { ReportDocument, ReportEnd } from './print-report.ts'
import { Spool } from './spool.ts'

export class ComparisonDocument implements ReportDocument<void> {
  readonly #terminal: Pick<Terminal, 'version' | 'commandLine' | 'interrupt'>
  readonly #run: { readonly id: RunId; readonly startedAt: string }
  readonly #redact: (file: FileComparison) => FileComparison
  readonly #spool = new Spool<FileComparison>('file')
  readonly #tally = new ComparisonTally()
  #sides: SidePair<SideOfComparison>
  #sqlite = 'none'
  #registry = 'live'

  /** @param given the two words of the command line; null if commander refused it */
  constructor(
    terminal: Pick<Terminal, 'version' | 'commandLine' | 'interrupt'>,
    { redactKeys }: Pick<ReportOptions, 'redactKeys'>,
    { id, given }: { readonly id: RunId; readonly given: SidePair<string> | null },
  ) {
    this.#terminal = terminal
    this.#run = { id, startedAt: new Date().toISOString() }
    this.#redact = redactKeys ? fileRedactor() : (file) => file
    this.#sides = { a: { given: given?.a ?? '', kind: 'unknown' }, b: { given: given?.b ?? '', kind: 'unknown' } }
  }

  /** Names what the two words of the command line were understood as. */
  setSides({ a, b }: SidePair<GivenSide>): void {
    this.#sides = { a: { given: a.given, kind: a.kind }, b: { given: b.given, kind: b.kind } }
  }

  /** Names where the list of tenants is from. */
  setRegistry(source: RegistrySource): void {
    this.#registry = registryWord(source)
  }

  add(file: FileComparison): void {
    this.#tally.add(file)
    this.#sqlite = file.results.a?.readBy?.sqlite ?? file.results.b?.readBy?.sqlite ?? this.#sqlite
    const { commandLine } = this.#terminal
    const { a, b } = file.results
    this.#spool.add(
      this.#redact({ ...file, results: { a: a && withHint(a, commandLine), b: b && withHint(b, commandLine) } }),
    )
  }

  get isEmpty(): boolean {
    return this.#tally.results === 0
  }

  exitCode(): ExitCode {
    return this.#tally.exitCode({ failed: null, signal: this.#terminal.interrupt.exitCode() })
  }

  /** Without results the error's own code (usage, configuration), else the gravest of all. */
  exitCodeOfError(error: unknown): ExitCode {
    const signal = this.#terminal.interrupt.exitCode()
    const own = exitCodeOfError(error, signal)
    return this.isEmpty ? own : this.#tally.exitCode({ failed: own, signal })
  }

  json(end: ReportEnd<void>): Iterable<string> {
    return comparisonJson(this.#reportOf(end), this.#spool.all())
  }

  text(end: ReportEnd<void>, options: TextOptions): Iterable<string> {
    return comparisonText(this.#reportOf(end), this.#spool.all(), options)
  }

  #reportOf({ exitCode, failure }: ReportEnd<void>): Omit<ComparisonReport, 'files'> {
    const { a, b } = this.#sides
    const asksService = (a.kind === 'tenant' || b.kind === 'tenant') && (failure === null || !this.isEmpty)
    return {
      schema: 'holdfast.compare/1',
      tool: { version: this.#terminal.version, sqlite: this.#sqlite },
      run: {
        id: this.#run.id,
        mode: 'compare',
        startedAt: this.#run.startedAt,
        finishedAt: new Date().toISOString(),
        registry: asksService ? this.#registry : 'none',
      },
      sides: this.#sides,
      outcome: this.#tally.outcome,
      ...(failure === null ? {} : { failure }),
      summary: { ...this.#tally.counts, exitCode },
    }
  }

  [Symbol.dispose](): void {
    this.#spool[Symbol.dispose]()
  }
}
