/** What a service passes to the gate. */

/**
 * A main database file. `journalMode` is SQLite's name for it. A bare path leaves it `unknown`, and the caller then
 * inspects the file itself.
 */
export type GateFile = string | { readonly path: string; readonly journalMode: string }

export interface GateTenant {
  readonly id: string
  /** Main database files only; their -wal, -shm and -journal are implied. */
  readonly files: readonly GateFile[]
}

type Awaitable<T> = T | Promise<T>

export interface GateLimits {
  /** How many tenants may be quiesced at the same time. */
  readonly maxPaused: number
  /** The longest lease. A longer one is shortened, and the answer says so. */
  readonly ttlMsMax: number
  /** The longest hold with renewals, counted from quiesced. */
  readonly maxHoldMsMax: number
  /** The longest wait until requests of the tenant have ended. */
  readonly drainTimeoutMsMax: number
  /** How long each call of `close` and `open` may take. */
  readonly closeMsMax: number
  readonly openMsMax: number
  /** How long `enter` waits for a quiesced tenant before it throws TenantPaused. */
  readonly waitMs: number
  /** How many may wait for one tenant; others get TenantPaused immediately. */
  readonly waitingMax: number
  /** How long a kernel lease may delay the reopening of a tenant before the tenant is called unhealthy. */
  readonly reopenWaitMs: number
}

export interface GateOptions {
  /** Name of the service, as in holdfast.yaml. */
  readonly service: string
  readonly version: string
  /** Version of the SQLite library in the service (`select sqlite_version()`). */
  readonly sqliteVersion?: string | null
  /** Bearer token for every call. Without one the gate answers only on unix sockets, which the file mode protects. */
  readonly token?: string
  /** A token that may read but not quiesce. */
  readonly readOnlyToken?: string
  readonly limits?: Partial<GateLimits>
  /** The registry: all tenants. */
  readonly tenants: () => Awaitable<Iterable<GateTenant> | AsyncIterable<GateTenant>>
  /** One tenant of the registry, if that is faster than reading all of it. */
  readonly find?: (tenantId: string) => Awaitable<GateTenant | null | undefined>
  /**
   * Closes ALL handles of the tenant. Called when none of its requests runs. It may name files that the registry does
   * not list.
   */
  readonly close: (tenantId: string, signal: AbortSignal) => Awaitable<void | { readonly files?: readonly GateFile[] }>
  /** Reopens the tenant, immediately or lazily. Called again, at growing intervals, until it succeeds. */
  readonly open: (tenantId: string) => Awaitable<void>
  /** True if the tenant works. Called only while it is active. */
  readonly healthy?: (tenantId: string) => Awaitable<boolean>
  /** Why the tenant must not be quiesced now (a migration, a restore), or null. */
  readonly busy?: (tenantId: string) => Awaitable<string | null>
  /** False while the service starts. */
  readonly ready?: () => boolean
}

const defaultLimits: GateLimits = {
  maxPaused: 4,
  ttlMsMax: 60_000,
  maxHoldMsMax: 120_000,
  drainTimeoutMsMax: 30_000,
  closeMsMax: 10_000,
  openMsMax: 30_000,
  waitMs: 5_000,
  waitingMax: 1_000,
  reopenWaitMs: 10_000,
}

/** @throws {TypeError} for a limit that is no positive number, because a gate without limits must not start */
export function limitsOf(options: GateOptions): GateLimits {
  const limits = { ...defaultLimits, ...options.limits }
  for (const [name, value] of Object.entries(limits)) {
    if (!Number.isFinite(value) || value <= 0)
      throw new TypeError(`limits.${name} must be a positive number, not ${value}`)
  }
  return limits
}
