/** The report of `repair`, `restore` and `salvage`: outcomes are kept until they are printed. */
import type { RunTotals } from '../../fleet/pipeline.ts'
import type { Target } from '../../fleet/run/target.ts'
import type { IncidentId, RunId } from '../../model/brand.ts'
import type { RegistrySource } from '../../model/event.ts'
import type { ExitCode } from '../../model/exit-code.ts'
import { exitCodeOfFailure } from '../../model/failure-exit.ts'
import type { RemedyOutcome, RemedyReport } from '../../model/result/remedy.ts'
import type { NamedHold, SelectedFile } from '../../model/result/report.ts'
import type { OtherHold } from '../../model/service-way.ts'
import { registryWord } from '../../report/registry-line.ts'
import { remedyJson, remedyRedactor } from '../../report/remedy/remedy-json.ts'
import { RemedyTally, type RemedyMode } from '../../report/remedy/remedy-summary.ts'
import { remedyText } from '../../report/remedy/remedy-text.ts'
import { hintFor } from '../../report/text/hint.ts'
import { describeOther } from '../../report/text/other-holds.ts'
import type { TextOptions } from '../../report/text/result-words.ts'
import type { ReportOptions } from '../options.ts'
import { exitCodeOfError } from '../terminal/errors.ts'
import type { Terminal } from '../terminal/terminal.ts'
import type { ReportDocument, ReportEnd } from './print-report.ts'

type RemedyEnding = Pick<RunTotals, 'stopped'>

/** A remedy has few targets, so their outcomes stay in memory. */
export class RemedyDocument implements ReportDocument<RemedyEnding> {
  readonly #terminal: Pick<Terminal, 'version' | 'commandLine' | 'interrupt'>
  readonly #run: { readonly id: RunId; readonly mode: RemedyMode; readonly startedAt: string }
  readonly #redact: (outcome: RemedyOutcome) => RemedyOutcome
  readonly #tally: RemedyTally
  readonly #outcomes: RemedyOutcome[] = []
  readonly #notices: string[] = []
  #otherHolds: readonly NamedHold[] = []
  #incident: IncidentId | null = null
  /** Selected files that have no outcome yet. */
  readonly #pending = new Map<string, SelectedFile>()
  #sqlite = 'none'
  #registry: string

  constructor(
    terminal: Pick<Terminal, 'version' | 'commandLine' | 'interrupt'>,
    { redactKeys }: Pick<ReportOptions, 'redactKeys'>,
    { registry, ...run }: { readonly id: RunId; readonly mode: RemedyMode; readonly registry: 'none' | 'live' },
  ) {
    this.#registry = registry
    this.#terminal = terminal
    this.#run = { ...run, startedAt: new Date().toISOString() }
    this.#redact = redactKeys ? remedyRedactor() : (outcome) => outcome
    this.#tally = new RemedyTally(run.mode)
  }

  /** Names the incident that the run belongs to. */
  joinIncident(incident: IncidentId): void {
    this.#incident = incident
  }

  /** Names open holds that are not this run's to end. */
  addOtherHolds(others: readonly OtherHold[], config: string): void {
    this.#otherHolds = others.map((hold) => ({
      tenant: hold.tenant,
      holder: hold.holder,
      service: hold.service,
      via: hold.via,
      ...describeOther(hold, config),
    }))
  }

  /** Names where the list of tenants is from. */
  setRegistry(source: RegistrySource): void {
    this.#registry = registryWord(source)
  }

  /** Adds a sentence about the run itself, such as that the backups cannot be read. */
  addNotice(notice: string): void {
    this.#notices.push(notice)
  }

  /** Names the files that the run is going to work on. */
  select(targets: readonly Target[]): void {
    for (const { tenant, named } of targets) this.#pending.set(keyOf(tenant, named), { tenant, path: named })
  }

  add({ result, check, account }: RemedyOutcome): void {
    const hinted =
      result.failure === null
        ? result
        : { ...result, failure: { ...result.failure, hint: hintFor(result.failure, this.#terminal.commandLine) } }
    this.#pending.delete(keyOf(result.tenant, result.path))
    this.#tally.add(hinted)
    this.#sqlite = check?.readBy?.sqlite ?? this.#sqlite
    this.#outcomes.push(this.#redact({ result: hinted, check, account }))
  }

  get isEmpty(): boolean {
    return this.#outcomes.length === 0
  }

  get counts(): { readonly selected: number; readonly covered: number } {
    return { selected: this.#outcomes.length + this.#pending.size, covered: this.#outcomes.length }
  }

  get notReached(): readonly SelectedFile[] {
    return [...this.#pending.values()]
  }

  /** No run of remedies is a full sweep. */
  readonly settlesAny = false

  exitCode({ stopped }: RemedyEnding): ExitCode {
    const code = stopped === null ? null : exitCodeOfFailure(stopped)
    return this.#tally.exitCode(this.counts.selected, code, this.#terminal.interrupt.exitCode())
  }

  /** Without results the error's own code (usage, configuration), else the gravest of all. */
  exitCodeOfError(error: unknown): ExitCode {
    const signal = this.#terminal.interrupt.exitCode()
    const own = exitCodeOfError(error, signal)
    return this.isEmpty ? own : this.#tally.exitCode(this.counts.selected, own, signal)
  }

  json(end: ReportEnd<RemedyEnding>): Iterable<string> {
    return remedyJson(this.#frame(end), this.#outcomes)
  }

  text(end: ReportEnd<RemedyEnding>, options: TextOptions): Iterable<string> {
    return [remedyText(this.#frame(end), this.#outcomes, options)]
  }

  #frame({ exitCode, ending, failure }: ReportEnd<RemedyEnding>): Omit<RemedyReport, 'results'> {
    const { id, mode, startedAt } = this.#run
    const stopped = ending?.stopped ?? null
    return {
      schema: 'holdfast.remedy/1',
      tool: { version: this.#terminal.version, sqlite: this.#sqlite },
      run: {
        id,
        mode,
        startedAt,
        finishedAt: new Date().toISOString(),
        registry: failure !== null && this.isEmpty ? 'none' : this.#registry,
        incident: this.#incident,
        ...(stopped === null ? {} : { stopped: `${stopped.code}: ${stopped.message}` }),
        ...(this.#notices.length === 0 ? {} : { notices: this.#notices }),
        ...(this.#otherHolds.length === 0 ? {} : { otherHolds: this.#otherHolds }),
      },
      ...(failure === null ? {} : { failure }),
      summary: this.#tally.summary(this.counts.selected, exitCode),
    }
  }

  [Symbol.dispose](): void {}
}

const keyOf = (tenant: string | null, path: string): string => JSON.stringify([tenant, path])
