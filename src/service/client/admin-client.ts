/** A service that is reached by its admin API, version 1 (admin-api.yaml). */
import { randomUUID } from 'node:crypto'
import * as z from 'zod/mini'
import type { AdminSettings } from '../../config/settings.ts'
import { tenantId, type TenantId } from '../../model/brand.ts'
import { Failure, type TenantState } from '../../model/failure.ts'
import {
  nothingLeftOut,
  type Capabilities,
  type OpenLease,
  type QuiesceAnswer,
  type QuiesceRequest,
  type LeaseEnd,
  type Service,
  type TenantServingState,
  type TenantStatus,
} from '../port.ts'
import {
  capabilitiesAnswer,
  leasesAnswer,
  pageAnswer,
  quiesceAnswer,
  readAnswer,
  renewAnswer,
  resumeAnswer,
  servingAnswer,
  statusAnswer,
} from './answers.ts'
import { describeProblem, problemOf, type ServiceProblem } from './problem.ts'
import { isLate, answerFailure, quiesceRefusal, refusal } from './refusal.ts'
import { readRegistryPages } from './registry.ts'
import { sendWithRetries, type CallOutcome, type RetryPolicy } from './retry.ts'
import { Transport, type HttpAnswer, type Request } from './transport.ts'
import { requestedDrainMs } from './wire.ts'

const answerBytesMax = 1_048_576
/** The last attempt of a quiesce begins within this time. */
const quiesceStartMsMax = 9_000
/** Least time that a service has to close a tenant after it has drained. */
const closeMsMin = 1_000
/** Time for a status while a tenant may be paused. */
const soonMs = 1_000
/** How many leases keep their boot id. It distinguishes a restart from an unknown lease. */
const bootIdsMax = 1_000

export class AdminClient implements Service {
  readonly via = 'admin-api'
  readonly leftOut = nothingLeftOut
  readonly #transport: Transport
  readonly #name: string
  readonly #bootIds = new Map<string, string>()

  private constructor(settings: AdminSettings, transport: Transport) {
    this.#name = settings.name
    this.#transport = transport
  }

  static async open(settings: AdminSettings): Promise<AdminClient> {
    return new AdminClient(settings, await Transport.open(settings))
  }

  capabilities(signal: AbortSignal): Promise<Capabilities> {
    return this.#read('asking for its capabilities', '/capabilities', capabilitiesAnswer, signal)
  }

  tenants(signal: AbortSignal): Promise<Awaited<ReturnType<Service['tenants']>>> {
    const what = this.#what('asking for its tenants')
    return readRegistryPages(what, async (after, bytesMax) => {
      const path = after === null ? '/tenants' : `/tenants?after=${encodeURIComponent(after)}`
      const outcome = await this.#ask({ path, answerBytesMax: bytesMax }, {}, signal)
      if (outcome.reply.kind === 'too-large') return { kind: 'misfit', why: outcome.reply.why, bytes: 0 }
      // The service made the cursor, so its refusal of the cursor is not our defect.
      if (outcome.reply.kind === 'answer' && outcome.reply.status === 400)
        return { kind: 'misfit', why: describeProblem(problemOf(outcome.reply)), bytes: 0 }
      const { json, bytes } = this.#expect(outcome, 200, () => refusal(what, outcome))
      return { ...readAnswer(pageAnswer, json), bytes }
    })
  }

  async tenant(id: TenantId, signal: AbortSignal): Promise<TenantStatus> {
    const what = `asking how tenant ${JSON.stringify(id)} is`
    const status = await this.#read(what, `/tenants/${encode(id)}`, statusAnswer, signal)
    if (status.id !== id)
      throw answerFailure(this.#what(what), `it speaks of tenant ${JSON.stringify(status.id)}`, 'unknown')
    return { ...status, id }
  }

  async servingStatus(id: TenantId, signal: AbortSignal): Promise<TenantStatus> {
    const what = `asking whether tenant ${JSON.stringify(id)} serves`
    const status = await this.#read(what, `/tenants/${encode(id)}`, servingAnswer, signal)
    if (status.id !== undefined && status.id !== id)
      throw answerFailure(this.#what(what), `it speaks of tenant ${JSON.stringify(status.id)}`, 'unknown')
    return { ...status, id }
  }

  async quiesce(id: TenantId, request: QuiesceRequest, signal: AbortSignal): Promise<QuiesceAnswer> {
    const what = this.#what(`quiescing tenant ${JSON.stringify(id)}`)
    const timeoutMs = request.drainTimeoutMs + this.#transport.timeoutMs
    const body = {
      holder: request.holder,
      reason: request.reason,
      ttlMs: request.ttlMs,
      maxHoldMs: request.maxHoldMs,
      drainTimeoutMs: requestedDrainMs(request.drainTimeoutMs),
    }
    // All attempts have one key: the service then replays a lost answer and makes no second lease.
    const asked = {
      method: 'POST',
      path: `/tenants/${encode(id)}/quiesce`,
      headers: { 'idempotency-key': randomUUID() },
      body,
      timeoutMs,
    } as const
    const mayStandStill = (error: unknown): never => {
      throw interruptionOf(what, error, 'maybe-paused')
    }
    const limits = { inProgressMs: timeoutMs, startMsMax: quiesceStartMsMax }
    const outcome = await this.#ask(asked, limits, signal).catch(mayStandStill)
    const state = isLate(outcome.reply) ? await this.#stateSoon(id, signal).catch(mayStandStill) : null
    const answer = this.#expect(outcome, 201, () => quiesceRefusal(what, outcome, state))
    const read = readAnswer(quiesceAnswer, answer.json)
    if (read.kind === 'misfit') throw answerFailure(what, read.why, 'maybe-paused')
    const { leaseId, fence, bootId, openHandles, files, sqliteVersion } = read.value
    this.#remember(leaseId, bootId)
    // Never longer than asked for: the guardian counts with the time that we asked for.
    const expiresInMs = Math.min(read.value.expiresInMs, request.ttlMs)
    return {
      tenant: id,
      holder: request.holder,
      leaseId,
      fence,
      bootId,
      expiresInMs,
      openHandles,
      files,
      sqliteVersion,
      via: 'admin-api',
    }
  }

  get callMsMax(): number {
    return this.#transport.timeoutMs
  }

  quiesceMsMax(drainTimeoutMs: number): number {
    return quiesceStartMsMax + drainTimeoutMs + Math.max(this.#transport.timeoutMs, closeMsMin) + soonMs
  }

  async renew(quiesced: QuiesceAnswer, signal: AbortSignal): Promise<{ readonly expiresInMs: number }> {
    const what = this.#what(`renewing the lease of tenant ${JSON.stringify(quiesced.tenant)}`)
    const asked = { method: 'POST', path: `${leasePath(quiesced)}/renew`, body: { fence: quiesced.fence } } as const
    const outcome = await this.#ask(asked, { waits: 1, waitMsMax: 1_000 }, signal)
    const { reply } = outcome
    if (reply.kind === 'answer' && (reply.status === 410 || reply.status === 409 || reply.status === 404)) {
      throw new Failure('LEASE_LOST', `${what}: ${describeProblem(problemOf(reply))}`, {
        tenant: reply.status === 410 ? 'active' : 'unknown',
      })
    }
    const answer = this.#expect(outcome, 200, () => refusal(what, outcome).withTenant('maybe-paused'))
    const read = readAnswer(renewAnswer, answer.json)
    if (read.kind === 'misfit') throw answerFailure(what, read.why, 'maybe-paused')
    return read.value
  }

  async resume(quiesced: Pick<QuiesceAnswer, 'tenant' | 'leaseId' | 'fence'>, signal: AbortSignal): Promise<LeaseEnd> {
    const what = this.#what(`resuming tenant ${JSON.stringify(quiesced.tenant)}`)
    const asked = { method: 'DELETE', path: `${leasePath(quiesced)}?fence=${quiesced.fence}` } as const
    const outcome = await this.#ask(asked, { waitMsMax: 2_000 }, signal).catch((error: unknown) => {
      throw interruptionOf(what, error, 'maybe-paused')
    })
    const { reply } = outcome
    if (reply.kind === 'answer' && reply.status === 410)
      return this.#endedBefore(quiesced.leaseId, problemOf(reply), signal)
    const answer = this.#expect(outcome, 200, () => resumeFailed(what, refusal(what, outcome)))
    const read = readAnswer(resumeAnswer, answer.json)
    if (read.kind === 'misfit') throw resumeFailed(what, answerFailure(what, read.why, 'maybe-paused'))
    const { heldMs, continuous, bootId, endedBy } = read.value
    return { heldMs, continuous, bootId, endedBy }
  }

  endEarlierCommands(): Promise<void> {
    return Promise.resolve()
  }

  async leases(signal: AbortSignal): Promise<readonly OpenLease[]> {
    const { leases } = await this.#read('asking for its open leases', '/quiesce', leasesAnswer, signal)
    return leases.map((lease) => ({ ...lease, tenant: tenantId(lease.tenant) }))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#transport[Symbol.asyncDispose]()
  }

  async #read<T>(doing: string, path: string, schema: z.ZodMiniType<T>, signal: AbortSignal): Promise<T> {
    const what = this.#what(doing)
    const outcome = await this.#ask({ path }, {}, signal)
    const read = readAnswer(schema, this.#expect(outcome, 200, () => refusal(what, outcome)).json)
    if (read.kind === 'misfit') throw answerFailure(what, read.why, 'unknown')
    return read.value
  }

  /** Shows whether the service is silent or only one call. null if no answer comes within a second. */
  async #stateSoon(id: TenantId, signal: AbortSignal): Promise<TenantServingState | null> {
    const timeoutMs = Math.min(this.#transport.timeoutMs, soonMs)
    const { reply } = await this.#ask({ path: `/tenants/${encode(id)}`, timeoutMs }, { waits: 0, repeats: 0 }, signal)
    const read = readAnswer(servingAnswer, reply.kind === 'answer' && reply.status === 200 ? reply.json : undefined)
    return read.kind === 'read' ? read.value.state : null
  }

  async #ask(
    asked: Partial<Request> & Pick<Request, 'path'>,
    policy: Partial<RetryPolicy>,
    signal: AbortSignal,
  ): Promise<CallOutcome> {
    const { timeoutMs } = this.#transport
    const request: Request = { method: 'GET', headers: {}, body: null, timeoutMs, answerBytesMax, ...asked }
    try {
      return await sendWithRetries(
        this.#transport,
        request,
        {
          waits: 3,
          waitMsMax: 10_000,
          repeats: 3,
          repeatTimeoutMs: timeoutMs,
          inProgressMs: timeoutMs,
          startMsMax: Infinity,
          ...policy,
        },
        signal,
      )
    } catch (error) {
      throw signal.aborted ? interruptionOf(this.#what('asking'), signal.reason, 'untouched') : error
    }
  }

  #expect({ reply }: CallOutcome, status: number, refused: () => Failure): HttpAnswer {
    if (reply.kind !== 'answer' || reply.status !== status) throw refused()
    return reply
  }

  /**
   * For a lease that the service does not know, or of which it says how it ended. A boot id that differs from that of
   * the quiesce means that the service was restarted.
   */
  async #endedBefore(leaseId: string, problem: ServiceProblem, signal: AbortSignal): Promise<LeaseEnd> {
    if (problem.endedBy === 'expiry')
      return { heldMs: problem.heldMs, continuous: false, bootId: problem.bootId, endedBy: 'expiry' }
    const before = this.#bootIds.get(leaseId)
    const now =
      problem.bootId ??
      (await this.capabilities(signal).then(
        ({ bootId }) => bootId,
        () => null,
      ))
    const restarted = before !== undefined && now !== null && now !== before
    return { heldMs: problem.heldMs, continuous: false, bootId: now, endedBy: restarted ? 'restart' : 'unknown' }
  }

  #remember(leaseId: string, bootId: string): void {
    const [oldest] = this.#bootIds.keys()
    if (oldest !== undefined && this.#bootIds.size >= bootIdsMax) this.#bootIds.delete(oldest)
    this.#bootIds.set(leaseId, bootId)
  }

  #what(doing: string): string {
    return `service ${this.#name} at ${this.#transport.address}, ${doing}`
  }
}

const leasePath = ({ tenant, leaseId }: Pick<QuiesceAnswer, 'tenant' | 'leaseId'>): string =>
  `/tenants/${encode(tenant)}/quiesce/${encode(leaseId)}`

/** Percent-encodes one path segment. `.` and `..` too: a proxy would read them as steps in the tree. */
function encode(segment: string): string {
  return segment === '.' || segment === '..' ? segment.replaceAll('.', '%2E') : encodeURIComponent(segment)
}

const resumeFailed = (what: string, cause: Failure): Failure =>
  new Failure('RESUME_FAILED', cause.message.startsWith(what) ? cause.message : `${what}: ${cause.message}`, { cause })

/** The caller gave up, or another failure came in between. The result says what is known of the tenant. */
function interruptionOf(what: string, reason: unknown, tenant: TenantState): unknown {
  if (reason instanceof Failure) return tenant === 'maybe-paused' ? reason.withTenant(tenant) : reason
  if (reason instanceof Error && reason.name !== 'AbortError' && reason.name !== 'TimeoutError') return reason
  return new Failure('INTERRUPTED', `${what}: interrupted`, { cause: reason, tenant })
}
