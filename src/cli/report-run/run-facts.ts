/** What a document says of its run besides the results, and the selected files that have no result yet. */
import { doubtfulEntries } from '../../config/accepted-limits.ts'
import type { Settings } from '../../config/settings.ts'
import type { IncidentId, RunId } from '../../model/brand.ts'
import type { RegistrySource } from '../../model/event.ts'
import type { Failure } from '../../model/failure.ts'
import type { NamedHold, SelectedFile } from '../../model/result/report.ts'
import type { OtherHold } from '../../model/service-way.ts'
import { registryWord } from '../../report/registry-line.ts'
import { describeOther } from '../../report/text/other-holds.ts'
import type { Target } from '../../runs/begin/target.ts'
import type { Terminal } from '../terminal/terminal.ts'

interface Run<Mode extends string> {
  readonly id: RunId
  readonly mode: Mode
}

/** A document of a run is one of these, with results. */
export class RunFacts<Mode extends string> {
  readonly #run: Run<Mode> & { readonly startedAt: string }
  readonly #notices: string[] = []
  readonly #pending = new Map<string, SelectedFile>()
  #otherHolds: readonly NamedHold[] = []
  #incident: IncidentId | null = null
  #registry: string
  #finishedAt: string | null = null

  constructor({ registry, ...run }: Run<Mode> & { readonly registry: string }) {
    this.#registry = registry
    this.#run = { ...run, startedAt: new Date().toISOString() }
  }

  get run(): RunId {
    return this.#run.id
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

  /** Adds a sentence about the run itself, such as that a backup could not be kept. */
  addNotice(notice: string): void {
    this.#notices.push(notice)
  }

  /** Adds what is doubtful in the configuration, and says it on stderr. */
  protected warnOf({ check: { accept } }: Pick<Settings, 'check'>, terminal: Pick<Terminal, 'say'>): void {
    for (const doubtful of doubtfulEntries(accept)) {
      terminal.say(`holdfast: configuration: ${doubtful}`)
      this.addNotice(doubtful)
    }
  }

  /** Names the files that the run is going to work on. */
  select(targets: readonly Target[]): void {
    for (const { tenant, named } of targets) this.#pending.set(resultKey(tenant, named), { tenant, path: named })
  }

  protected get mode(): Mode {
    return this.#run.mode
  }

  /** The file has its result now. */
  protected reached(tenant: string | null, path: string): void {
    this.#pending.delete(resultKey(tenant, path))
  }

  /** Selected files that have no result yet. */
  protected get pending(): ReadonlyMap<string, SelectedFile> {
    return this.#pending
  }

  /**
   * The field `run` of the document. The run has ended when it is called first.
   * @param failed true if the run failed before it had any result: then its list of tenants does not matter
   */
  protected runOf(stopped: Failure | null, failed: boolean) {
    const { id, mode, startedAt } = this.#run
    return {
      id,
      mode,
      startedAt,
      finishedAt: (this.#finishedAt ??= new Date().toISOString()),
      registry: failed ? 'none' : this.#registry,
      incident: this.#incident,
      ...(stopped === null ? {} : { stopped: `${stopped.code}: ${stopped.message}` }),
      ...(this.#otherHolds.length === 0 ? {} : { otherHolds: this.#otherHolds }),
      ...(this.#notices.length === 0 ? {} : { notices: this.#notices }),
    }
  }
}

export const resultKey = (tenant: string | null, path: string): string => JSON.stringify([tenant, path])
