/**
 * What holdfast needs from a service, which is reached by the admin API (admin-api.yaml) or by command hooks, or not at
 * all (`service.files`). All values are claims of the service; the hold verifies them before it trusts them (I2.1).
 */
import type { TenantId } from '../model/brand.ts'
import type { Failure } from '../model/failure.ts'

export type TenantServingState = 'active' | 'draining' | 'quiesced' | 'resuming'

export interface RegisteredTenant {
  readonly id: TenantId
  /** Main database files as the service names them: not trusted and not resolved yet. */
  readonly files: readonly string[]
  readonly state: TenantServingState
}

interface LeaseStatus {
  readonly leaseId: string
  readonly fence: number
  readonly holder: string
  readonly expiresInMs: number
  /** Counted from `quiesced` on the service's clock. */
  readonly heldMs: number
}

export interface TenantStatus {
  readonly id: TenantId
  readonly state: TenantServingState
  /** True if the tenant can work, and while it is quiesced in good order. */
  readonly healthy: boolean
  readonly lease: LeaseStatus | null
  readonly lastError: string | null
}

export interface QuiesceRequest {
  /** Unique for each hold, so that a lease can be found when its answer was lost. */
  readonly holder: string
  readonly reason: string
  readonly ttlMs: number
  readonly maxHoldMs: number
  readonly drainTimeoutMs: number
}

/** A file when the service had closed its handles. `dev` and `ino` are decimal strings, because they exceed 2^53. */
interface ClosedFile {
  readonly path: string
  readonly dev: string
  readonly ino: string
  readonly size: number
  readonly journalMode: string
}

export interface QuiesceAnswer {
  readonly tenant: TenantId
  readonly holder: string
  readonly leaseId: string
  /** null for hooks. */
  readonly fence: number | null
  /** Identifies the process that quiesced; null for hooks. */
  readonly bootId: string | null
  /** What is left of the lease by the service's clock. Count it from the start of the request, not from the answer. */
  readonly expiresInMs: number
  readonly openHandles: number
  /** null for hooks, which name files in the registry only. */
  readonly files: readonly ClosedFile[] | null
  readonly sqliteVersion: string | null
  readonly via: 'admin-api' | 'hooks'
}

/** How a lease ended. A 410 answer is a value and no failure, because the tenant serves after it. */
export interface LeaseEnd {
  readonly heldMs: number | null
  /**
   * True if the tenant was quiesced without a gap. null if the service cannot know. Only true lets a snapshot count.
   */
  readonly continuous: boolean | null
  readonly bootId: string | null
  readonly endedBy: 'holder' | 'expiry' | 'restart' | 'unknown'
}

/** Names one process among all since the machine started. */
export interface StartedProcess {
  readonly pid: number
  readonly startTime: string
}

/** The latest known state of the commands that act on a tenant. */
export type CommandState =
  | { readonly command: 'quiesce' | 'resume'; readonly state: 'running'; readonly process: StartedProcess }
  | { readonly command: 'quiesce' | 'resume'; readonly state: 'succeeded' | 'failed' }

/** Called when a command that acts on a tenant has started, and when it has ended. */
export type CommandObserver = (tenant: TenantId, latest: CommandState) => void

/** The commands of a hold whose run is gone. `latest` is null if nothing is known about them. */
export interface HoldCommands {
  readonly holder: string
  readonly latest: CommandState | null
}

export interface OpenLease {
  readonly tenant: TenantId
  readonly leaseId: string
  readonly fence: number
  readonly holder: string
  readonly expiresInMs: number
}

/** A folder whose files are not known, or a file that cannot be a tenant. Its known tenants are still listed. */
export interface UnsearchedPath {
  readonly path: string
  readonly failure: Failure
}

/** What a list of tenants does not have, although it may be meant. */
export interface ListOmissions {
  readonly unsearched: readonly UnsearchedPath[]
  /** Symbolic links that were not followed. */
  readonly links: readonly string[]
}

export const nothingLeftOut: ListOmissions = { unsearched: [], links: [] }

export interface Capabilities {
  readonly service: string
  readonly version: string
  readonly sqliteVersion: string | null
  readonly bootId: string | null
  readonly modes: readonly string[]
  readonly limits: Readonly<Record<string, number>>
}

/**
 * Each call has the configured deadline besides `signal`, so a caller adds none.
 * Each throws Failure with a code of model/failure.ts: ADMIN_UNREACHABLE (no connection), ADMIN_REFUSED (401, 403, 404,
 * 500 that says active), SERVICE_BUSY (409, 423, 429, 503), QUIESCE_TIMEOUT (did not drain or close in time),
 * CONTRACT_BROKEN (an answer that does not fit the contract), and Bug for 400 and 422. A failure of `quiesce` is
 * `maybe-paused` if the request may have taken effect: search for the holder in `leases()`.
 */
export interface Service extends AsyncDisposable {
  readonly via: 'admin-api' | 'hooks' | 'files'
  capabilities(signal: AbortSignal): Promise<Capabilities>
  /**
   * All pages of the registry.
   * @throws {Failure} REGISTRY_STALE for a repeated cursor, a tenant that is listed twice, or a page that does not fit
   */
  tenants(signal: AbortSignal): Promise<readonly RegisteredTenant[]>
  /** About the last answer of `tenants`. A service that lists its tenants itself leaves out nothing. */
  readonly leftOut: ListOmissions
  tenant(id: TenantId, signal: AbortSignal): Promise<TenantStatus>
  /** As `tenant`, for the time after a resume. Only fields that show whether the tenant serves must fit. */
  servingStatus(id: TenantId, signal: AbortSignal): Promise<TenantStatus>
  /** Answers, and takes effect, within `quiesceMsMax` of the call or never. Repetitions count. */
  quiesce(id: TenantId, request: QuiesceRequest, signal: AbortSignal): Promise<QuiesceAnswer>
  /** In ms, for a tenant that has `drainTimeoutMs` to drain. */
  quiesceMsMax(drainTimeoutMs: number): number
  /** The configured time for one request or one command, in ms. */
  readonly callMsMax: number
  /** Hooks have no lease and return the given time. @throws {Failure} LEASE_LOST if the lease has ended */
  renew(quiesced: QuiesceAnswer, signal: AbortSignal): Promise<{ readonly expiresInMs: number }>
  /**
   * May be repeated. Resolves also if the lease has ended already.
   * @throws {Failure} RESUME_FAILED, with `maybe-paused`; `retry` is false if it must not be repeated
   */
  resume(quiesced: Pick<QuiesceAnswer, 'tenant' | 'leaseId' | 'fence'>, signal: AbortSignal): Promise<LeaseEnd>
  /**
   * Waits until no command of a dead run acts on the tenant: a quiesce command that still runs would pause the tenant
   * after our resume. Takes at most the configured time, and none if there are no commands.
   */
  endEarlierCommands(commands: HoldCommands): Promise<void>
  /** All open leases, of all holders. Hooks have none. */
  leases(signal: AbortSignal): Promise<readonly OpenLease[]>
}
