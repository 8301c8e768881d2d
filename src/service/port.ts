/**
 * What holdfast needs of a service, however it is reached: the admin API (interfaces.md, version 1) or command hooks.
 * Everything here is the service's word. Nothing of it is trusted until the hold has looked for itself (I2.1).
 */
import type { TenantId } from '../model/brand.ts'

export type TenantServing = 'active' | 'draining' | 'quiesced' | 'resuming'

export interface RegisteredTenant {
  readonly id: TenantId
  /** Main database files as the service claims them; not yet trusted, not yet resolved. */
  readonly files: readonly string[]
  readonly state: TenantServing
}

export interface LeaseStatus {
  readonly leaseId: string
  readonly fence: number
  readonly holder: string
  readonly expiresInMs: number
  /** Counted from `quiesced` on the service's clock. */
  readonly heldMs: number
}

export interface TenantStatus {
  readonly id: TenantId
  readonly state: TenantServing
  /** Can the tenant do its work? True while it is quiesced in good order. */
  readonly healthy: boolean
  readonly lease: LeaseStatus | null
  readonly lastError: string | null
}

export interface QuiesceRequest {
  /** Unique per hold, so that a lease whose answer was lost can be found. */
  readonly holder: string
  readonly reason: string
  readonly ttlMs: number
  readonly maxHoldMs: number
  readonly drainTimeoutMs: number
}

/** A file as the service saw it when its handles were closed. `dev` and `ino` are decimal strings: they exceed 2^53. */
export interface ClaimedFile {
  readonly path: string
  readonly dev: string
  readonly ino: string
  readonly size: number
  readonly journalMode: string
}

export interface Quiesced {
  readonly tenant: TenantId
  readonly holder: string
  readonly leaseId: string
  /** null for hooks. */
  readonly fence: number | null
  /** Identifies the process that quiesced; null for hooks. */
  readonly bootId: string | null
  /**
   * What is left of the lease by the service's clock. Count it from the start of the request, never from its answer.
   */
  readonly expiresInMs: number
  readonly openHandles: number
  /** null for hooks, which name files in the registry only. */
  readonly files: readonly ClaimedFile[] | null
  readonly sqliteVersion: string | null
  readonly via: 'admin-api' | 'hooks'
}

/** How a lease ended. The 410 answers are values here, not failures: the tenant is serving after each of them. */
export interface Resumed {
  readonly heldMs: number | null
  /**
   * Was the tenant quiesced without a gap until now? null where the service cannot know. Only true lets a snapshot
   * count.
   */
  readonly continuous: boolean | null
  readonly bootId: string | null
  readonly endedBy: 'holder' | 'expiry' | 'restart' | 'unknown'
}

/** One process among all that ever were on this machine since it started. */
export interface StartedProcess {
  readonly pid: number
  readonly startTime: string
}

/** The newest that is known of the commands that act on a tenant. */
export type CommandNews =
  | { readonly deed: 'quiesce' | 'resume'; readonly state: 'running'; readonly process: StartedProcess }
  | { readonly deed: 'quiesce' | 'resume'; readonly state: 'succeeded' | 'failed' }

/** Told when a command that acts on a tenant runs, and when it has ended. */
export type CommandObserver = (tenant: TenantId, news: CommandNews) => void

/** The commands of a hold whose run is gone; `news` is null where nothing is known of them. */
export interface HoldCommands {
  readonly holder: string
  readonly news: CommandNews | null
}

export interface OpenLease {
  readonly tenant: TenantId
  readonly leaseId: string
  readonly fence: number
  readonly holder: string
  readonly expiresInMs: number
}

export interface Capabilities {
  readonly service: string
  readonly version: string
  readonly sqliteVersion: string | null
  readonly bootId: string | null
  readonly modes: readonly string[]
  readonly limits: Readonly<Record<string, number>>
}

/**
 * Each call has a deadline of its own besides `signal`, which is the configured one: callers put no other around it.
 * Each throws Failure with a code of model/failure.ts: ADMIN_UNREACHABLE (no connection), ADMIN_REFUSED (401, 403, 404,
 * 500 that says active), SERVICE_BUSY (409, 423, 429, 503), QUIESCE_TIMEOUT (did not drain or close in time),
 * CONTRACT_BROKEN (an answer that does not fit the contract), and Bug for 400 and 422. A failure of `quiesce` says
 * `maybe-paused` whenever the request may have taken effect: look for the holder in `leases()`.
 */
export interface Service extends AsyncDisposable {
  readonly via: 'admin-api' | 'hooks'
  capabilities(signal: AbortSignal): Promise<Capabilities>
  /**
   * All pages of the registry.
   * @throws {Failure} REGISTRY_STALE for a repeated cursor, a tenant named twice or a page that does not fit.
   */
  tenants(signal: AbortSignal): Promise<readonly RegisteredTenant[]>
  tenant(id: TenantId, signal: AbortSignal): Promise<TenantStatus>
  /**
   * As `tenant`, for the look after a resume: a field that is not needed to see whether the tenant serves is never held
   * against it.
   */
  lookAt(id: TenantId, signal: AbortSignal): Promise<TenantStatus>
  /** However often it is repeated inside: it answers, and takes effect, within `quiesceMsMax` of the call, or never. */
  quiesce(id: TenantId, request: QuiesceRequest, signal: AbortSignal): Promise<Quiesced>
  /** In ms, for a tenant that may take as long as this to drain. */
  quiesceMsMax(drainTimeoutMs: number): number
  /** In ms, as it is configured: how long one request, or one command, may take. */
  readonly callMsMax: number
  /**
   * @throws {Failure} LEASE_LOST when the lease has ended. Hooks have no lease to renew: they answer what they were
   * given.
   */
  renew(quiesced: Quiesced, signal: AbortSignal): Promise<{ readonly expiresInMs: number }>
  /**
   * Repeatable. Resolves for a lease that had ended already.
   * @throws {Failure} RESUME_FAILED, with `maybe-paused`; `retry` is false where it must not be asked again
   */
  resume(quiesced: Pick<Quiesced, 'tenant' | 'leaseId' | 'fence'>, signal: AbortSignal): Promise<Resumed>
  /**
   * Until no command of a run that is gone acts on the tenant any more: a quiesce command that is still running would
   * pause it after our resume. Bounded by the configured time. Where there are no commands it resolves at once.
   */
  endEarlierCommands(commands: HoldCommands): Promise<void>
  /** Every lease that is open now, whoever holds it. Hooks: none. */
  leases(signal: AbortSignal): Promise<readonly OpenLease[]>
}
