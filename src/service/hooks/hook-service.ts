/**
 * A service without an admin API, reached by commands (interfaces.md, configuration, `hooks`). There is no lease: what
 * we pause, only we resume.
 */
import * as z from 'zod/mini'
import type { ServiceSettings } from '../../config/settings.ts'
import { nameOfError, systemFailure } from '../../host/failures/system-failure.ts'
import { tenantId, type TenantId } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import { files, listOf, readAnswer, tenantId as id } from '../client/answers.ts'
import type {
  Capabilities,
  CommandObserver,
  HoldCommands,
  OpenLease,
  Quiesced,
  QuiesceRequest,
  RegisteredTenant,
  Resumed,
  Service,
  TenantServing,
  TenantStatus,
} from '../port.ts'
import { quoteText } from '../quote-text.ts'
import { RegistrySize } from '../registry-bounds.ts'
import { commandFor } from './argument.ts'
import { runCommand, stdoutBytesMax, type Ran } from './command.ts'
import { markOf, endEarlierCommands } from './earlier-commands.ts'

export type HookSettings = Extract<ServiceSettings, { kind: 'hooks' }>

const state = z.nullish(z.enum(['active', 'draining', 'quiesced', 'resuming']))
const listedTenant = z.object({ id, files, state, healthy: z.nullish(z.boolean()) })
const listing = listOf(listedTenant)
type ListedTenant = z.infer<typeof listedTenant>
/** What shows that one tenant serves: whatever else the listing says of it, or of others, is not needed for that. */
const servingTenant = z.object({ id, state, healthy: z.catch(z.nullish(z.boolean()), null) })

/**
 * A resume command that fails is tried again. One that did not end in time is not: it has had the time that it was
 * allowed.
 */
const resumeAttempts = 3
/** Until a command that was killed is gone, and what it said was read. */
const endedWithinMs = 6_000
export class HookService implements Service {
  readonly via = 'hooks'
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
    return (await this.#list(signal)).map(({ id, files, state }) => ({
      id: tenantId(id),
      files,
      state: state ?? this.#servingOf(tenantId(id)),
    }))
  }

  /** Commands tell little: the tenant is still listed, and whatever the listing says of its state and health. */
  async tenant(id: TenantId, signal: AbortSignal): Promise<TenantStatus> {
    const listed = (await this.#list(signal)).find((tenant) => tenant.id === id)
    if (!listed)
      throw new Failure(
        'ADMIN_REFUSED',
        `service ${this.#settings.name}: its tenants command does not list ${JSON.stringify(id)}`,
      )
    return this.#statusOf(id, listed)
  }

  async lookAt(id: TenantId, signal: AbortSignal): Promise<TenantStatus> {
    for (const one of this.#entriesOf(await this.#print(signal))) {
      const read = servingTenant.safeParse(one)
      if (read.success && read.data.id === id) return this.#statusOf(id, read.data)
    }
    return this.tenant(id, signal) // Not listed, or not so that it can be read: that is told as ever.
  }

  async quiesce(id: TenantId, request: QuiesceRequest, signal: AbortSignal): Promise<Quiesced> {
    const command = commandFor(this.#settings.quiesce, id)
    // Made now, so that an id that cannot be passed to the resume command is refused before anything is paused.
    commandFor(this.#settings.resume, id)
    const ran = await this.#run('quiesce', command, id, request.holder, signal)
    if (ran.how !== 'exit' || ran.code !== 0) throw this.#quiesceFailure(command, ran)
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

  renew(quiesced: Quiesced): Promise<{ readonly expiresInMs: number }> {
    return Promise.resolve({ expiresInMs: quiesced.expiresInMs })
  }

  async resume({ tenant, leaseId }: Pick<Quiesced, 'tenant' | 'leaseId'>, signal: AbortSignal): Promise<Resumed> {
    const command = commandFor(this.#settings.resume, tenant)
    for (let attempt = 1; ; attempt++) {
      const ran = await this.#run('resume', command, tenant, leaseId, signal)
      if (ran.how === 'exit' && ran.code === 0) break
      if (ran.how === 'timeout' || ran.how === 'unkillable')
        throw new Failure('RESUME_FAILED', this.#describe(command, ran), { retry: false })
      if (attempt === resumeAttempts || signal.aborted) throw new Failure('RESUME_FAILED', this.#describe(command, ran))
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

  /** A quiesce command that is still running would pause the tenant after our resume. */
  async endEarlierCommands(commands: HoldCommands): Promise<void> {
    await endEarlierCommands(commands, this.#settings.timeoutMs)
  }

  leases(): Promise<readonly OpenLease[]> {
    return Promise.resolve([])
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve()
  }

  #servingOf(id: TenantId): TenantServing {
    return this.#quiescedAt.has(id) ? 'quiesced' : 'active'
  }

  #statusOf(id: TenantId, { state, healthy }: Pick<ListedTenant, 'state' | 'healthy'>): TenantStatus {
    return { id, state: state ?? this.#servingOf(id), healthy: healthy ?? true, lease: null, lastError: null }
  }

  async #list(signal: AbortSignal): Promise<readonly ListedTenant[]> {
    const read = readAnswer(listing, this.#entriesOf(await this.#print(signal)))
    if (read.kind === 'misfit') throw this.#invalid(inWordsOfList(read.why))
    const ids = new Set<string>()
    const size = new RegistrySize()
    for (const tenant of read.value) {
      if (ids.has(tenant.id)) throw this.#invalid(`it lists tenant ${JSON.stringify(tenant.id)} twice`)
      ids.add(tenant.id)
      const passed = size.addTenant(tenant)
      if (passed !== null) throw this.#invalid(passed)
    }
    return read.value
  }

  async #print(signal: AbortSignal): Promise<string> {
    const command = this.#settings.tenants
    const ran = await runCommand(command, {
      timeoutMs: this.#settings.timeoutMs,
      signal,
      env: {},
      keepsStdout: true,
      onStarted: () => undefined,
    })
    if (ran.how === 'too-much-output')
      throw new Failure('REGISTRY_STALE', this.#describe(command, ran), { hint: listHint })
    if (ran.how === 'aborted') throw new Failure('INTERRUPTED', this.#describe(command, ran), { cause: signal.reason })
    if (ran.how === 'not-started') throw this.#notStarted('tenants', command, ran)
    if (ran.how !== 'exit' || ran.code !== 0)
      throw new Failure('ADMIN_UNREACHABLE', `service.hooks.tenants: ${this.#describe(command, ran)}`, {
        hint: failedHint,
      })
    return ran.stdout
  }

  #entriesOf(text: string): readonly unknown[] {
    const printed = parse(text)
    const entries: unknown = Array.isArray(printed)
      ? printed
      : (printed as { readonly tenants?: unknown } | null | undefined)?.tenants
    if (!Array.isArray(entries))
      throw this.#invalid('it must print a JSON array of {"id", "files"}, or {"tenants": ...}')
    return entries
  }

  #invalid(why: string): Failure {
    return new Failure('REGISTRY_STALE', `service.hooks.tenants: ${JSON.stringify(this.#settings.tenants)}: ${why}`, {
      hint: listHint,
    })
  }

  /** A command that acts on a tenant. */
  async #run(
    deed: 'quiesce' | 'resume',
    command: readonly string[],
    tenant: TenantId,
    holder: string,
    signal: AbortSignal,
  ): Promise<Ran> {
    const ran = await runCommand(command, {
      timeoutMs: this.#settings.timeoutMs,
      signal,
      env: markOf(deed, holder),
      keepsStdout: false,
      onStarted: (process) => this.#onCommand(tenant, { deed, state: 'running', process }),
    })
    this.#onCommand(tenant, { deed, state: ran.how === 'exit' && ran.code === 0 ? 'succeeded' : 'failed' })
    return ran
  }

  #quiesceFailure(command: readonly string[], ran: Ran): Failure {
    const text = this.#describe(command, ran)
    switch (ran.how) {
      case 'not-started':
        return this.#notStarted('quiesce', command, ran)
      case 'timeout':
      case 'unkillable':
        return new Failure('QUIESCE_TIMEOUT', text, {
          tenant: 'maybe-paused',
          hint: 'find out why the quiesce command takes so long, or raise service.hooks.timeout',
        })
      case 'aborted':
        return new Failure('INTERRUPTED', text, { tenant: 'maybe-paused' })
      case 'exit':
      case 'signal':
      case 'too-much-output':
        // Part of the work may be done, and no lease will end it.
        return new Failure('ADMIN_REFUSED', text, {
          tenant: 'maybe-paused',
          hint: 'the quiesce command failed, perhaps half-way; see what it says, and mend it',
        })
    }
  }

  /** Nothing was asked of the service, and what helps is said by what the system answered. */
  #notStarted(
    deed: 'tenants' | 'quiesce',
    command: readonly string[],
    ran: Extract<Ran, { readonly how: 'not-started' }>,
  ): Failure {
    const [program = ''] = command
    const { hint, concerns, cause } = systemFailure(ran.error, { doing: 'start', path: program })
    if (nameOfError(ran.error) === 'ENOENT' && !program.includes('/')) {
      const said =
        `service.hooks.${deed}: there is no program ${quoteText(program)} ` +
        `in PATH (${quoteText(process.env['PATH'] ?? '')})`
      return new Failure('ADMIN_UNREACHABLE', said, { hint: 'give its absolute path', concerns, cause })
    }
    return new Failure('ADMIN_UNREACHABLE', `service.hooks.${deed}: ${this.#describe(command, ran)}`, {
      hint,
      concerns,
      cause,
    })
  }

  #describe(command: readonly string[], ran: Ran): string {
    const how: Record<Ran['how'], string> = {
      exit: `exit code ${ran.code}`,
      signal: 'it was killed',
      aborted: 'interrupted',
      'not-started': 'it could not be started',
      timeout: `it did not end within ${this.#settings.timeoutMs} ms (service.hooks.timeout) and was killed`,
      unkillable:
        `it did not end within ${this.#settings.timeoutMs} ms ` +
        '(service.hooks.timeout) and could not be killed; it may still run',
      'too-much-output': `it printed without end and was killed (more than ${stdoutBytesMax} bytes)`,
    }
    return `${JSON.stringify(command)}: ${how[ran.how]}${ran.complaint === '' ? '' : ` (${ran.complaint})`}`
  }
}

const listHint = 'correct what the command prints; `holdfast explain service.hooks.tenants` says what it must be'
const failedHint = 'run the command by hand and see what it says; is the service running?'

/** `1.files: Invalid input: expected array, received undefined` as a person would say it. */
function inWordsOfList(why: string): string {
  const [, at, field, misfit] = /^(\d+)(?:\.(\S+))?: (?:Invalid input: )?(.*)$/s.exec(why) ?? []
  if (at === undefined || misfit === undefined) return quoteText(why)
  const entry = `entry ${Number(at) + 1} of the list${field === undefined ? '' : `, ${field}`}`
  const missing = misfit.endsWith(', received undefined')
  return (
    `${quoteText(`${entry}: ${missing ? 'it is missing' : misfit}`)}; each ` +
    'entry must be like {"id": "acme", "files": ["/srv/acme.db"]}'
  )
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
