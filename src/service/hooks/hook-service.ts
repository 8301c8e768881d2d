/** A service without an admin API, which is reached by three commands (README.md of this folder). */
import type { ServiceSettings } from '../../config/settings.ts'
import { tenantId, type TenantId } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import {
  nothingLeftOut,
  type Capabilities,
  type CommandObserver,
  type HoldCommands,
  type OpenLease,
  type QuiesceAnswer,
  type QuiesceRequest,
  type RegisteredTenant,
  type LeaseEnd,
  type Service,
  type TenantServingState,
  type TenantStatus,
} from '../port.ts'
import { commandFor } from './argument.ts'
import {
  hasSucceeded,
  listingFailure,
  quiesceFailure,
  requireResumable,
  resumeFailure,
  type EndedCommand,
} from './command-failures.ts'
import { runCommand, type CommandEnd } from './command.ts'
import { commandMark, endEarlierCommands } from './earlier-commands.ts'
import { TenantList, type ServingTenant } from './tenant-list.ts'

export type HookSettings = Extract<ServiceSettings, { kind: 'hooks' }>

/** How often a resume command is run that ends with a failure. One that had its whole time is not run again. */
const resumeAttempts = 3
/** How long it may take until a command that was killed is gone and its output was read. */
const endedWithinMs = 6_000

/** There is no lease: only holdfast ends a pause that holdfast began. */
export class HookService implements Service {
  readonly via = 'hooks'
  readonly leftOut = nothingLeftOut
  readonly #settings: HookSettings
  /** When each quiesce command ended, by tenant, on the monotonic clock. */
  readonly #quiescedAt = new Map<TenantId, number>()
  readonly #onCommand: CommandObserver

  constructor(settings: HookSettings, onCommand: CommandObserver) {
    this.#settings = settings
    this.#onCommand = onCommand
  }

  capabilities(): Promise<Capabilities> {
    return Promise.resolve({
      service: this.#settings.name,
      version: 'unknown',
      sqliteVersion: null,
      bootId: null,
      modes: ['quiesce'],
      limits: {},
    })
  }

  async tenants(signal: AbortSignal): Promise<readonly RegisteredTenant[]> {
    return (await this.#list(signal))
      .tenants()
      .map(({ id, files, state }) => ({ id: tenantId(id), files, state: state ?? this.#stateOf(tenantId(id)) }))
  }

  async tenant(id: TenantId, signal: AbortSignal): Promise<TenantStatus> {
    return this.#statusIn(await this.#list(signal), id)
  }

  async servingStatus(id: TenantId, signal: AbortSignal): Promise<TenantStatus> {
    const list = await this.#list(signal)
    const serving = list.serving(id)
    if (serving !== null) return this.#statusOf(id, serving)
    // The tenant is missing, or its entry cannot be read. The commands are asked once more before that is a failure.
    return this.tenant(id, signal)
  }

  async quiesce(id: TenantId, request: QuiesceRequest, signal: AbortSignal): Promise<QuiesceAnswer> {
    const command = commandFor(this.#settings.quiesce, id)
    // Nothing is paused for a resume command that cannot take this id, or cannot be started.
    requireResumable(commandFor(this.#settings.resume, id), this.#settings.resume)
    const end = await this.#run('quiesce', command, id, request.holder, signal)
    if (!hasSucceeded(end)) throw quiesceFailure(this.#endedCommand(command, end, this.#settings.quiesce))
    this.#quiescedAt.set(id, performance.now())
    return {
      tenant: id,
      holder: request.holder,
      leaseId: request.holder,
      fence: null,
      bootId: null,
      expiresInMs: request.ttlMs,
      openHandles: 0,
      files: null,
      sqliteVersion: null,
      via: 'hooks',
    }
  }

  get callMsMax(): number {
    return this.#settings.timeoutMs + endedWithinMs
  }

  quiesceMsMax(): number {
    return this.callMsMax
  }

  renew(quiesced: QuiesceAnswer): Promise<{ readonly expiresInMs: number }> {
    return Promise.resolve({ expiresInMs: quiesced.expiresInMs })
  }

  async resume({ tenant, leaseId }: Pick<QuiesceAnswer, 'tenant' | 'leaseId'>, signal: AbortSignal): Promise<LeaseEnd> {
    const command = commandFor(this.#settings.resume, tenant)
    for (let attempt = 1; ; attempt++) {
      const end = await this.#run('resume', command, tenant, leaseId, signal)
      if (hasSucceeded(end)) break
      const hadItsTime = end.how === 'timeout' || end.how === 'unkillable'
      if (hadItsTime || attempt === resumeAttempts || signal.aborted)
        throw resumeFailure(this.#endedCommand(command, end, this.#settings.resume))
    }
    const quiescedAt = this.#quiescedAt.get(tenant)
    this.#quiescedAt.delete(tenant)
    return {
      heldMs: quiescedAt === undefined ? null : Math.round(performance.now() - quiescedAt),
      continuous: null,
      bootId: null,
      endedBy: 'holder',
    }
  }

  /** A quiesce command that still runs would pause the tenant after our resume. */
  async endEarlierCommands(commands: HoldCommands): Promise<void> {
    await endEarlierCommands(commands, this.#settings.timeoutMs)
  }

  leases(): Promise<readonly OpenLease[]> {
    return Promise.resolve([])
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve()
  }

  #stateOf(id: TenantId): TenantServingState {
    return this.#quiescedAt.has(id) ? 'quiesced' : 'active'
  }

  /** Commands say little: that the tenant is listed, and its state and health if the list has them. */
  #statusIn(list: TenantList, id: TenantId): TenantStatus {
    const listed = list.tenants().find((tenant) => tenant.id === id)
    if (listed) return this.#statusOf(id, listed)
    const text = `service ${this.#settings.name}: its tenants command does not list ${JSON.stringify(id)}`
    throw new Failure('ADMIN_REFUSED', text)
  }

  #statusOf(id: TenantId, { state, healthy }: Pick<ServingTenant, 'state' | 'healthy'>): TenantStatus {
    return { id, state: state ?? this.#stateOf(id), healthy: healthy ?? true, lease: null, lastError: null }
  }

  async #list(signal: AbortSignal): Promise<TenantList> {
    const command = this.#settings.tenants
    const end = await runCommand(command, {
      timeoutMs: this.#settings.timeoutMs,
      signal,
      env: {},
      readsStdout: true,
      onStarted: () => undefined,
    })
    if (!hasSucceeded(end)) throw listingFailure(this.#endedCommand(command, end), signal.reason)
    return new TenantList(command, end.stdout)
  }

  /** Runs a command that acts on a tenant. */
  async #run(
    command: 'quiesce' | 'resume',
    words: readonly string[],
    tenant: TenantId,
    holder: string,
    signal: AbortSignal,
  ): Promise<CommandEnd> {
    const end = await runCommand(words, {
      timeoutMs: this.#settings.timeoutMs,
      signal,
      env: commandMark(command, holder),
      readsStdout: false,
      onStarted: (process) => this.#onCommand(tenant, { command, state: 'running', process }),
    })
    this.#onCommand(tenant, { command, state: hasSucceeded(end) ? 'succeeded' : 'failed' })
    return end
  }

  #endedCommand(command: readonly string[], end: CommandEnd, template = command): EndedCommand {
    return { command, template, end, timeoutMs: this.#settings.timeoutMs }
  }
}
