/**
 * Quiesce and resume: active → draining → quiesced → resuming → active. However a quiesce ends, the tenant is served
 * again (promise 1).
 */
import { randomUUID } from 'node:crypto'
import type { Callers } from './caller.ts'
import { within } from './deadline.ts'
import { claimFiles, countOpenHandles, pathOfGateFile, type QuiescedFile } from './files.ts'
import { callerGone, Problem, reasonOf, retryAfter, serviceStops } from './http/problem.ts'
import { EndedLeases, Lease, type EndedLease } from './lease.ts'
import type { GateLimits, GateOptions, GateTenant } from './options.ts'
import { untilUnleased } from './reopen.ts'
import type { TenantRecord, Tenants } from './tenants.ts'

export interface QuiesceTerms {
  readonly holder: string
  readonly reason: string
  readonly ttlMs: number
  readonly maxHoldMs: number
  /** null: as long as the service allows. */
  readonly drainTimeoutMs: number | null
}

interface CloseResult {
  readonly files: readonly QuiescedFile[]
  readonly openHandles: number
}

const attemptMsMax = 30_000
/** If closing took longer, it is looked again whether the caller is there. */
const lookAgainMs = 100

export class Leases {
  /** Identifies this process: its leases end with it. */
  readonly bootId = randomUUID()
  readonly #options: GateOptions
  readonly #limits: GateLimits
  readonly #tenants: Tenants
  readonly #ended = new EndedLeases()
  /** Main files of a quiesced tenant, which are inspected before the tenant is reopened. */
  readonly #paths = new Map<string, readonly string[]>()
  readonly #shutdown = new AbortController()
  #fence = 0

  constructor(options: GateOptions, limits: GateLimits, tenants: Tenants) {
    this.#options = options
    this.#limits = limits
    this.#tenants = tenants
  }

  /**
   * @param callers the requests that get the answer. If all of them have disconnected, nothing is paused.
   * @throws {Problem} with the tenant active again
   */
  async quiesce(tenant: GateTenant, terms: QuiesceTerms, callers: Callers): Promise<object> {
    if (this.#options.ready?.() === false)
      throw new Problem('starting', 'the service is not ready yet', { headers: retryAfter(1000) })
    const busy = await this.#options.busy?.(tenant.id)
    if (busy) throw new Problem('tenant-busy', busy)
    if (!(await callers.stillThere())) throw callerGone()
    const record = this.#takePlace(tenant.id)
    const waitedMs = await this.#drain(record, terms, callers)
    const closed = await this.#close(record, tenant, callers)
    return this.#grant(record, terms, closed, waitedMs)
  }

  /** @throws {Problem} lease-expired, fence-mismatch */
  renew(tenant: string, leaseId: string, fence: number): object {
    const lease = this.#tenants.peek(tenant)?.lease
    if (!lease || lease.terms.leaseId !== leaseId || lease.ending !== null || lease.isExpired)
      throw this.#goneProblem(tenant, leaseId)
    this.#requireFence(lease.terms.fence, fence)
    lease.renew()
    return { expiresInMs: lease.expiresInMs }
  }

  /** May be repeated for an hour. @throws {Problem} lease-expired, fence-mismatch */
  async resume(tenant: string, leaseId: string, fence: number): Promise<object> {
    const record = this.#tenants.peek(tenant)
    if (record?.lease?.terms.leaseId === leaseId) {
      this.#requireFence(record.lease.terms.fence, fence)
      await this.#end(record, record.lease, record.lease.isExpired ? 'expiry' : 'holder')
    }
    const found = this.#ended.find(tenant, leaseId)
    if (!found) throw this.#goneProblem(tenant, leaseId)
    this.#requireFence(found.terms.fence, fence)
    if (found.ended.endedBy === 'expiry') throw this.#goneProblem(tenant, leaseId)
    return { state: 'active', heldMs: found.ended.heldMs, continuous: true, bootId: this.bootId, endedBy: 'holder' }
  }

  /** True if the lease ended within the last hour. */
  readonly hasEnded = (tenant: string, leaseId: string): boolean => this.#ended.find(tenant, leaseId) !== null

  list(): object {
    const paused = this.#tenants.paused()
    const leases = paused.flatMap(({ id, lease }) =>
      lease && lease.ending === null
        ? [
            {
              tenant: id,
              leaseId: lease.terms.leaseId,
              fence: lease.terms.fence,
              holder: lease.terms.holder,
              expiresInMs: lease.expiresInMs,
            },
          ]
        : [],
    )
    return { leases, limit: this.#limits.maxPaused, inUse: paused.length }
  }

  /** Seconds after which a request of a paused tenant may come again. */
  retryAfterSeconds(record: TenantRecord): number {
    return Math.max(1, Math.ceil((record.lease?.expiresInMs ?? 0) / 1000))
  }

  /** Ends every lease, and every attempt to reopen a tenant, because the service stops. */
  async shutdown(): Promise<void> {
    this.#shutdown.abort()
    const endings: Promise<unknown>[] = []
    for (const record of this.#tenants.all()) {
      if (record.attempt) clearTimeout(record.attempt)
      if (record.lease) endings.push(this.#end(record, record.lease, 'expiry'))
    }
    await Promise.allSettled(endings)
  }

  #takePlace(id: string): TenantRecord {
    if (this.#shutdown.signal.aborted) throw serviceStops()
    const record = this.#tenants.of(id)
    if (record.serving !== 'active')
      throw new Problem('already-quiesced', `the tenant is ${record.serving}`, {
        headers: retryAfter(record.lease?.expiresInMs ?? 0),
      })
    const inUse = this.#tenants.paused().length
    if (inUse >= this.#limits.maxPaused) {
      this.#tenants.tidy(record)
      throw new Problem(
        'quiesce-limit',
        `${inUse === 1 ? '1 tenant is' : `${inUse} tenants are`} quiesced, which is the limit`,
        { headers: retryAfter(1000) },
      )
    }
    // No await between this check and the next statement: no other request can take this tenant meanwhile.
    record.serving = 'draining'
    if (record.attempt) clearTimeout(record.attempt)
    record.attempt = null
    return record
  }

  async #drain(record: TenantRecord, terms: QuiesceTerms, callers: Callers): Promise<number> {
    const startedAt = performance.now()
    const timeoutMs = Math.min(terms.drainTimeoutMs ?? Infinity, this.#limits.drainTimeoutMsMax)
    const waits = record.turnstile.inFlight > 0
    if (await record.turnstile.drain(timeoutMs)) {
      const waitedMs = Math.round(performance.now() - startedAt)
      // If nothing was awaited, the callers were checked just before.
      const isGone = waits && !(await callers.stillThere())
      if (!isGone && !this.#shutdown.signal.aborted) return waitedMs
      this.#admit(record)
      throw isGone ? callerGone() : serviceStops()
    }
    const left = record.turnstile.inFlight
    this.#admit(record)
    throw new Problem(
      'drain-timeout',
      `${left === 1 ? '1 request or job of the tenant was' : `${left} requests or jobs of the tenant were`} ` +
        `still running after ${timeoutMs} ms`,
      { headers: retryAfter(1000), members: { state: 'active', inFlight: left } },
    )
  }

  async #close(record: TenantRecord, tenant: GateTenant, callers: Callers): Promise<CloseResult> {
    const closeController = new AbortController()
    const startedAt = performance.now()
    try {
      // The call is inside the promise, so a close that throws synchronously is a close that failed.
      const closing = (async () => this.#options.close(record.id, closeController.signal))()
      const said = await within(this.#limits.closeMsMax, 'closing its handles', closing, () => this.#reopenLate(record))
      const files = said?.files ?? tenant.files
      const paths = files.map(pathOfGateFile)
      const claimed = claimFiles(files)
      // A lease begins now. If this process was frozen meanwhile, its caller may be long gone.
      if (performance.now() - startedAt > lookAgainMs && !(await callers.stillThere())) throw callerGone()
      if (this.#shutdown.signal.aborted) throw serviceStops() // No lease is granted after all others have ended.
      this.#paths.set(record.id, paths)
      return { files: claimed, openHandles: countOpenHandles(paths) ?? 0 }
    } catch (error) {
      closeController.abort(error)
      record.serving = 'resuming'
      await this.#open(record)
      this.#admit(record)
      throw error instanceof Problem
        ? error
        : new Problem('quiesce-failed', reasonOf(error), { members: { state: 'active' } })
    }
  }

  #grant(record: TenantRecord, terms: QuiesceTerms, closed: CloseResult, waitedMs: number): object {
    const ttlMs = Math.min(terms.ttlMs, this.#limits.ttlMsMax)
    const maxHoldMs = Math.min(terms.maxHoldMs, this.#limits.maxHoldMsMax)
    const fence = ++this.#fence
    const lease: Lease = new Lease(
      { tenant: record.id, leaseId: randomUUID(), fence, holder: terms.holder, ttlMs, maxHoldMs },
      () => void this.#end(record, lease, 'expiry'),
    )
    record.lease = lease
    record.serving = 'quiesced'
    return {
      leaseId: lease.terms.leaseId,
      fence,
      bootId: this.bootId,
      state: 'quiesced',
      expiresInMs: lease.expiresInMs,
      drain: { waitedMs, inFlight: 0 },
      openHandles: closed.openHandles,
      files: closed.files,
      sqliteVersion: this.#options.sqliteVersion ?? null,
    }
  }

  /** Ends a lease once, however many callers ask for it. */
  #end(record: TenantRecord, lease: Lease, endedBy: EndedLease['endedBy']): Promise<EndedLease> {
    lease.ending ??= this.#reopen(record, lease, endedBy)
    return lease.ending
  }

  async #reopen(record: TenantRecord, lease: Lease, endedBy: EndedLease['endedBy']): Promise<EndedLease> {
    lease.disarm()
    record.serving = 'resuming'
    const onLate = (): void => {
      record.lastError = 'another process keeps a kernel lease on its files'
    }
    await untilUnleased(
      this.#paths.get(record.id) ?? [],
      this.#limits.reopenWaitMs,
      onLate,
      this.#shutdown.signal,
    ).catch(() => {})
    await this.#open(record)
    this.#paths.delete(record.id)
    const ended = { endedBy, heldMs: lease.heldMs }
    this.#ended.add(lease.terms, ended)
    record.lease = null
    this.#admit(record)
    return ended
  }

  #admit(record: TenantRecord): void {
    record.serving = 'active'
    record.turnstile.open()
    this.#tenants.tidy(record)
  }

  /**
   * Never rejects. An error is shown in the tenant's status, and the attempt is repeated at growing intervals until it
   * succeeds.
   */
  async #open(record: TenantRecord, nextAttemptMs = 1000): Promise<void> {
    try {
      const opening = (async () => this.#options.open(record.id))()
      await within(this.#limits.openMsMax, 'taking it up again', opening)
      record.lastError = null
    } catch (error) {
      record.lastError = `could not be taken up again: ${reasonOf(error)}`
      if (!this.#shutdown.signal.aborted)
        record.attempt = setTimeout(() => void this.#openAgain(record, nextAttemptMs), nextAttemptMs).unref()
    }
  }

  /** A close that ran past its limit may end late, and close what `open` had opened meanwhile. */
  #reopenLate(record: TenantRecord): void {
    if (record.serving === 'active') void this.#open(record)
  }

  async #openAgain(record: TenantRecord, lastMs: number): Promise<void> {
    if (record.serving !== 'active') return
    await this.#open(record, Math.min(lastMs * 2, attemptMsMax))
    this.#tenants.tidy(record)
  }

  #requireFence(held: number, given: number): void {
    if (held !== given) throw new Problem('fence-mismatch', `the lease has another fence than ${given}`)
  }

  #goneProblem(tenant: string, leaseId: string): Problem {
    const found = this.#ended.find(tenant, leaseId)
    const members = found
      ? { endedBy: found.ended.endedBy, heldMs: found.ended.heldMs, bootId: this.bootId }
      : { bootId: this.bootId }
    return new Problem(
      'lease-expired',
      found
        ? `the lease ended by ${found.ended.endedBy}`
        : 'no such lease: it ended long ago, or this process was started since',
      { members },
    )
  }
}
