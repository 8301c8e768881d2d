/** The report of `check`, `sweep` and `pull`: results are spooled, so that memory does not grow with tenants. */
import type { RunCounts } from '../../alarm/alarms.ts'
import type { Settings } from '../../config/settings.ts'
import { replaceFile, requirePage } from '../../host/files/replace-file.ts'
import type { RunId, TenantId } from '../../model/brand.ts'
import { exitCodes, type ExitCode } from '../../model/exit-code.ts'
import type { Failure, FailureCode } from '../../model/failure.ts'
import { exitCodeOfFailure } from '../../model/failures/exit-of-failure.ts'
import type { Finding } from '../../model/result/finding.ts'
import type { HealReport } from '../../model/result/heal-report.ts'
import type { DamagedPage } from '../../model/result/page-map.ts'
import type { Report, Result, SelectedFile } from '../../model/result/report.ts'
import { jsonReport } from '../../report/json.ts'
import { keyRedactor } from '../../report/redact.ts'
import { isMaybePaused } from '../../report/remedy/remedy-summary.ts'
import { ResultCounts } from '../../report/summary.ts'
import type { TextOptions } from '../../report/text/result-words.ts'
import type { Target } from '../../runs/begin/target.ts'
import type { RunTotals } from '../../runs/pipeline.ts'
import type { PageOptions, ReportOptions } from '../options.ts'
import { requireOutsideRoots } from '../status-file.ts'
import { exitCodeOfError, withHint } from '../terminal/errors.ts'
import type { Terminal } from '../terminal/terminal.ts'
import type { ReportDocument, ReportEnd } from './print-report.ts'
import type { ReportKeeper } from './report-keeper.ts'
import { reportText } from './report-text.ts'
import { resultKey, RunFacts } from './run-facts.ts'
import { shortResult } from './short-result.ts'
import { Spool } from './spool.ts'

type ResultsEnd = Pick<RunTotals, 'notCovered' | 'stopped'>
type ResultsOptions = Pick<ReportOptions, 'json' | 'verbose' | 'redactKeys'> & PageOptions & { readonly map?: boolean }
type KeepSettings = Pick<Settings, 'file' | 'ledger' | 'service' | 'tenants' | 'check'>

export class ResultsDocument extends RunFacts<Report['run']['mode']> implements ReportDocument<ResultsEnd> {
  readonly #terminal: Pick<Terminal, 'version' | 'commandLine' | 'interrupt' | 'say'>
  readonly #redact: (result: Result) => Result
  readonly #showsMaps: boolean
  /** The file of the page; null for none. */
  readonly #html: string | null
  readonly #shorten: (result: Result) => Result
  readonly #spool: Spool<Result>
  readonly #results = new ResultCounts()
  /** Findings that are known only at the end of a run, by file. */
  readonly #late = new Map<string, Finding>()
  /** Of `sweep --heal`. */
  #healing: HealReport | null = null
  /** How many results of a file were replaced by later ones. */
  readonly #replaced = new Map<string, number>()
  #notDue = 0
  #sqlite = 'none'
  /** null if the report is not kept. */
  #keeper: ReportKeeper<Result> | null = null
  /** What a page of bare files shows; null if no such page was asked for. */
  #paged: Spool<Result> | null = null
  #settings: KeepSettings | null = null

  constructor(
    terminal: Pick<Terminal, 'version' | 'commandLine' | 'interrupt' | 'say'>,
    { json, verbose, redactKeys, map, html }: ResultsOptions,
    run: { readonly id: RunId; readonly mode: Report['run']['mode']; readonly registry: string },
  ) {
    super(run)
    this.#terminal = terminal
    this.#showsMaps = map ?? false
    this.#html = html ?? null
    this.#redact = redactKeys ? keyRedactor() : (result) => result
    this.#shorten = json || verbose ? (result) => result : shortResult
    this.#spool = new Spool(json ? 'file' : 'memory')
  }

  /** Adds pages that are kept with the report. */
  addDamagedPages(pages: readonly DamagedPage[]): void {
    this.#keeper?.addPages(pages)
  }

  /** Adds a notice to the result of a file that has one already. */
  addLate(tenant: TenantId, path: string, finding: Finding): void {
    this.#late.set(resultKey(tenant, path), finding)
  }

  /** Adds what `--heal` has done. */
  addHealing(healing: HealReport): void {
    this.#healing = healing
  }

  /** Names what the run is going to check. @param notDue number of files that are not checked, as in the summary */
  override select(targets: readonly Target[], notDue = 0): void {
    this.#notDue = notDue
    super.select(targets)
  }

  add(found: Result): void {
    const result = withHint(found, this.#terminal.commandLine)
    this.reached(result.tenant, result.path)
    // A private copy is selected by its path alone; its manifest then names the tenant.
    this.reached(null, result.path)
    this.#results.add(result)
    this.#sqlite = result.readBy?.sqlite ?? this.#sqlite
    const redacted = this.#redact(result)
    this.#keeper?.add(redacted)
    this.#paged?.add(redacted)
    this.#spool.add(this.#shorten(this.#showsMaps ? redacted : withoutMap(redacted)))
  }

  /** Adds a result in the place of the one that the file has. */
  revise(result: Result, before: Pick<Result, 'verdict' | 'failure'>): void {
    const key = resultKey(result.tenant, result.path)
    this.#results.remove(before)
    this.#replaced.set(key, (this.#replaced.get(key) ?? 0) + 1)
    this.add(result)
  }

  /** The last result of each file, with what is known of it only at the end. */
  *#current(results: Iterable<Result>): Generator<Result> {
    const skipped = new Map(this.#replaced)
    for (const result of results) {
      const key = resultKey(result.tenant, result.path)
      const left = skipped.get(key) ?? 0
      if (left === 0) yield this.#withLate(result)
      else skipped.set(key, left - 1)
    }
  }

  /** Selected files that the run has not reached, as many as a report names. */
  get notReached(): readonly SelectedFile[] {
    return [...this.pending.values()].slice(0, notReachedMax)
  }

  get counts(): RunCounts & { readonly notDue: number } {
    const { results: covered, unsettled } = this.#results
    return { selected: covered + this.pending.size, covered, unsettled, notDue: this.#notDue }
  }

  /** Whether any file has a verdict on its data, now or from the check that still counts. */
  get settlesAny(): boolean {
    return this.#results.settlesAny || this.#notDue > 0
  }

  get isEmpty(): boolean {
    return this.counts.selected === 0
  }

  /**
   * What stopped the run counts beside the results, except for what a tenant met: that tenant's result has its own
   * code.
   */
  exitCode({ stopped, notCovered }: ResultsEnd): ExitCode {
    const code = stopped === null ? null : this.#codeOfStop(stopped)
    return this.#results.exitCode({
      notCovered,
      stopped: this.#mayBePaused ? exitCodes.maybePaused : code,
      signal: this.#terminal.interrupt.exitCode(),
    })
  }

  /** null where a tenant's result or the signal has the code. */
  #codeOfStop(stopped: Failure): ExitCode | null {
    const isAboutMany = this.mode === 'sweep' || this.mode === 'triage'
    if (isAboutMany && promisesBroken.has(stopped.code)) return exitCodes.damaged
    return ownCodeElsewhere.has(stopped.code) ? null : exitCodeOfFailure(stopped)
  }

  /** True if a tenant was not seen serving after `--heal` had changed it. */
  get #mayBePaused(): boolean {
    return this.#healing?.results.some(isMaybePaused) ?? false
  }

  /** Without results the error's own code (usage, configuration), else the gravest of all. */
  exitCodeOfError(error: unknown): ExitCode {
    const signal = this.#terminal.interrupt.exitCode()
    const own = exitCodeOfError(error, signal)
    return this.#results.results === 0
      ? own
      : this.#results.exitCode({ notCovered: this.pending.size, stopped: own, signal })
  }

  /**
   * Has the report kept beside the ledger, when it is printed, and its page written, if that was asked for. What they
   * need is loaded only now.
   * @throws {Failure} NOT_A_FILE if the page would lie in one of the roots, or if another file has its name
   */
  async keepWith(settings: KeepSettings): Promise<void> {
    this.warnOf(settings, this.#terminal)
    if (this.#html !== null) {
      await requireOutsideRoots(this.#html, settings.tenants.roots)
      requirePage(this.#html)
    }
    const { ReportKeeper, keptResult } = await import('./report-keeper.ts')
    this.#settings = settings
    this.#keeper = new ReportKeeper(settings, this.#terminal, keptResult)
  }

  /**
   * Has the page of a run over bare files written, if it was asked for. Call it before the first result.
   * @throws {Failure} NOT_A_FILE if another file has the name of the page
   */
  preparePageOfFiles(): void {
    if (this.#html === null) return
    requirePage(this.#html)
    this.#paged = new Spool('file')
  }

  async keep(end: ReportEnd<ResultsEnd>): Promise<void> {
    if (!this.isEmpty) await this.#keeper?.keep(this.#reportOf(end), (results) => this.#current(results))
  }

  async writePage(end: ReportEnd<ResultsEnd>): Promise<void> {
    const [html, paged, keeper, settings] = [this.#html, this.#paged, this.#keeper, this.#settings]
    if (html === null) return
    const { config } = this.#terminal.commandLine
    const { filesPage, runPage } = await import('./run-page.ts')
    const reportFrom = (results: () => Iterable<Result>) => ({
      frame: this.#reportOf(end),
      results: () => this.#current(results()),
    })
    requirePage(html)
    if (paged !== null) {
      const report = reportFrom(() => paged.all())
      replaceFile(html, filesPage(report, config), 'ours')
    } else if (keeper !== null && settings !== null) {
      const report = reportFrom(() => keeper.items())
      replaceFile(html, await runPage(report, settings, config), 'ours')
    }
  }

  json(end: ReportEnd<ResultsEnd>): Iterable<string> {
    return jsonReport(this.#reportOf(end), this.#current(this.#spool.all()))
  }

  text(end: ReportEnd<ResultsEnd>, options: TextOptions): Iterable<string> {
    return reportText({ ...this.#reportOf(end), results: [...this.#current(this.#spool.inMemory)] }, options)
  }

  readonly #withLate = (result: Result): Result => {
    const finding = this.#late.get(resultKey(result.tenant, result.path))
    return finding === undefined || result.verdict === 'failed'
      ? result
      : { ...result, findings: [...result.findings, finding], findingsTotal: result.findingsTotal + 1 }
  }

  #reportOf({
    exitCode,
    ending,
    failure,
  }: ReportEnd<ResultsEnd>): Omit<Report, 'results'> & { readonly healing?: HealReport } {
    const { stopped, notCovered } = ending ?? { stopped: null, notCovered: this.pending.size }
    return {
      schema: 'holdfast.report/1',
      tool: { version: this.#terminal.version, sqlite: this.#sqlite },
      run: this.runOf(stopped, failure !== null && this.#results.results === 0),
      ...(failure ? { failure } : {}),
      ...(this.#healing === null ? {} : { healing: this.#healing }),
      summary: this.#results.summary(notCovered, exitCode, this.notReached, this.#notDue),
    }
  }

  [Symbol.dispose](): void {
    this.#keeper?.[Symbol.dispose]()
    this.#paged?.[Symbol.dispose]()
    this.#spool[Symbol.dispose]()
  }
}

/** A report names no more files than this that the run has not reached. */
const notReachedMax = 10_000

/** What stops a run and has its own code elsewhere: in the result of a tenant, or as a signal. */
const ownCodeElsewhere = new Set<FailureCode>(['LOCK_NOT_HONOURED', 'LEASE_LOST', 'HARM_SUSPECTED', 'INTERRUPTED'])

/**
 * Locks or leases do not hold. A sweep that is stopped by it ends with 2, because what it found so far cannot be
 * trusted.
 */
const promisesBroken = new Set<FailureCode>(['LOCK_NOT_HONOURED', 'LEASE_LOST'])

/** A map is printed for the person who asked for it. */
function withoutMap(result: Result): Result {
  const { map: _map, ...others } = result
  return others
}
