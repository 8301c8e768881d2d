import type { RunTotals } from '../../fleet/pipeline.ts'
import type { Target } from '../../fleet/run/run-context.ts'
/**
 * Collects the results of a run and prints the report. Results are spooled, so that memory does not grow with tenants.
 */
import type { RunId } from '../../model/brand.ts'
import type { ExitCode } from '../../model/exit-code.ts'
import { exitCodeOfFailure } from '../../model/failure-exit.ts'
import type { FailureCode } from '../../model/failure.ts'
import { noEvidence, sealLevels, type Evidence, type SealLevel } from '../../model/result/evidence.ts'
import type { NamedHold, Report, Result, RunFailure, SelectedFile } from '../../model/result/report.ts'
import type { OtherHold } from '../../model/service-way.ts'
import { jsonReport } from '../../report/json.ts'
import { keyRedactor } from '../../report/redact.ts'
import { ResultCounts } from '../../report/summary.ts'
import { describeOther } from '../../report/text/other-holds.ts'
import { renderReport } from '../../report/text/text.ts'
import type { CommonOptions } from '../options.ts'
import { describeError, exitCodeOfError, reportError, withHint } from '../terminal/errors.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { Spool } from './spool.ts'

export type ReportRunOptions = Pick<CommonOptions, 'config' | 'json' | 'quiet' | 'verbose'> & {
  readonly redactKeys?: boolean
  /** A private copy of each file lies somewhere already. */
  readonly copied?: boolean
}

export class ReportRun implements Disposable {
  readonly #face: Terminal
  readonly #options: ReportRunOptions
  readonly #run: {
    readonly id: RunId
    readonly mode: Report['run']['mode']
    readonly registry: string
    readonly startedAt: string
  }
  readonly #redact: (result: Result) => Result
  readonly #shorten: (result: Result) => Result
  readonly #spool: Spool<Result>
  readonly #tally = new ResultCounts()
  #otherHolds: readonly NamedHold[] = []
  /** What was selected and has no result yet. */
  readonly #pending = new Map<string, SelectedFile>()
  #sqlite = 'none'

  constructor(
    face: Terminal,
    options: ReportRunOptions,
    run: { readonly id: RunId; readonly mode: Report['run']['mode']; readonly registry: string },
  ) {
    this.#face = face
    this.#options = options
    this.#run = { ...run, startedAt: new Date().toISOString() }
    this.#redact = options.redactKeys ? keyRedactor() : (result) => result
    this.#shorten = options.json || options.verbose ? (result) => result : inBrief
    this.#spool = new Spool(options.json ? 'file' : 'memory')
  }

  /** Names holds that stand open and are left to others. */
  leave(others: readonly OtherHold[], config: string): void {
    this.#otherHolds = others.map((hold) => ({
      tenant: hold.tenant,
      holder: hold.holder,
      service: hold.service,
      via: hold.via,
      ...describeOther(hold, config),
    }))
  }

  /** Names what the run is going to come to, before it does. */
  select(targets: readonly Target[]): void {
    for (const { tenant, named } of targets) this.#pending.set(keyOf(tenant, named), { tenant, path: named })
  }

  /** What the run did not come to, as many as a report names. */
  get notReached(): readonly SelectedFile[] {
    return [...this.#pending.values()].slice(0, notReachedMax)
  }

  get counts(): { readonly selected: number; readonly covered: number } {
    return { selected: this.#tally.results + this.#pending.size, covered: this.#tally.results }
  }

  /** Whether the data of any file came to a verdict. */
  get settlesAny(): boolean {
    return this.#tally.settlesAny
  }

  add(found: Result): void {
    const result = withHint(found, this.#face.commandLine)
    this.#pending.delete(keyOf(result.tenant, result.path))
    // A private copy is selected by its path; its manifest then names the tenant.
    this.#pending.delete(keyOf(null, result.path))
    this.#tally.add(result)
    this.#sqlite = result.readBy?.sqlite ?? this.#sqlite
    this.#spool.add(this.#shorten(this.#redact(result)))
  }

  /**
   * Does the work of a run, closes what it opened, and prints the report: with `--json` exactly one document, whatever
   * came of it. A run that fails loses no result that it had come to.
   * @returns the run's exit code
   */
  async of(work: () => Promise<Ending>): Promise<ExitCode> {
    let ending: Ending
    try {
      ending = await work()
    } catch (error) {
      return this.#printFailed(error)
    }
    const exitCode = this.exitCode(ending)
    await this.#print(exitCode, ending, null)
    return exitCode
  }

  /**
   * Of a run that came to this end. What stopped it counts beside its results, unless it is what a tenant met: that
   * one's result has its own code.
   */
  exitCode({ stopped, notCovered }: Ending): ExitCode {
    const code = stopped === null || ownCodeElsewhere.has(stopped.code) ? null : exitCodeOfFailure(stopped)
    return this.#tally.exitCode({ notCovered, stopped: code, signal: this.#face.interrupt.exitCode() })
  }

  async #printFailed(error: unknown): Promise<ExitCode> {
    const exitCode = this.exitCodeOfTrouble(error)
    const notCovered = this.#pending.size
    // First the results, so that the trouble is the last thing that a person reads.
    if (this.#options.json || this.#tally.results + notCovered > 0)
      await this.#print(exitCode, { stopped: null, notCovered }, describeError(error, this.#face.commandLine))
    reportError(this.#face, error)
    return exitCode
  }

  /** Usage and configuration keep their own code, for they come before any result; else the gravest of all. */
  exitCodeOfTrouble(error: unknown): ExitCode {
    const signal = this.#face.interrupt.exitCode()
    const own = exitCodeOfError(error, signal)
    return this.#tally.results === 0
      ? own
      : this.#tally.exitCode({ notCovered: this.#pending.size, stopped: own, signal })
  }

  async #print(exitCode: ExitCode, { stopped, notCovered }: Ending, failure: RunFailure | null): Promise<void> {
    const summary = this.#tally.summary(notCovered, exitCode, this.notReached)
    const { id, mode, startedAt } = this.#run
    const registry = failure && this.#tally.results === 0 ? 'none' : this.#run.registry
    const run = {
      id,
      mode,
      startedAt,
      finishedAt: new Date().toISOString(),
      registry,
      ...(stopped ? { stopped: `${stopped.code}: ${stopped.message}` } : {}),
      ...(this.#otherHolds.length === 0 ? {} : { otherHolds: this.#otherHolds }),
    }
    const report: Omit<Report, 'results'> = {
      schema: 'holdfast.report/1',
      tool: { version: this.#face.version, sqlite: this.#sqlite },
      run,
      ...(failure ? { failure } : {}),
      summary,
    }
    if (this.#options.json) {
      for (const piece of jsonReport(report, this.#spool.all())) await this.#face.out(piece)
    } else if (!this.#options.quiet || exitCode !== 0) {
      const { width, cuts, color } = this.#face
      const options = {
        width,
        cuts,
        color,
        verbose: this.#options.verbose ?? false,
        config: this.#face.commandLine.config,
        copied: this.#options.copied ?? false,
      }
      await this.#face.print(renderReport({ ...report, results: this.#spool.kept }, options))
    }
  }

  [Symbol.dispose](): void {
    this.#spool[Symbol.dispose]()
  }
}

/** A report names no more files than this that a run did not come to. */
const notReachedMax = 10_000

const keyOf = (tenant: Result['tenant'], path: string): string => JSON.stringify([tenant, path])

/** Stopped by what one tenant met, or by a signal, which has its own code too. */
const ownCodeElsewhere = new Set<FailureCode>(['LOCK_NOT_HONOURED', 'LEASE_LOST', 'INTERRUPTED'])

type Ending = Pick<RunTotals, 'notCovered' | 'stopped'>

/** Of a sound result what a table shows of it: what all have in common they share. */
const inBrief = (result: Result): Result =>
  result.verdict === 'sound'
    ? {
        ...result,
        ...inCommon,
        evidence: levelAlone[result.evidence.level],
        findings: result.findings.length === 0 ? inCommon.findings : result.findings,
      }
    : result
const levelAlone = Object.fromEntries(
  sealLevels.map((level) => [level, { ...noEvidence, level }]),
) as unknown as Readonly<Record<SealLevel, Evidence>>
const inCommon = {
  content: { tables: [] },
  coverage: { pages: 0, pagesRead: 0, objects: 0, skipped: [] },
  causes: [],
  findings: [],
  remedy: { do: 'nothing', indexes: [], rehearsed: false, why: '', command: null },
} as const
