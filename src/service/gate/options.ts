/** What a service tells the gate. */

/**
 * A main database file. `journalMode` as SQLite names it; a bare path leaves it `unknown`, and whoever asks looks for
 * himself.
 */
export type GateFile = string | { readonly path: string; readonly journalMode: string }

export interface GateTenant {
  readonly id: string
  /** Main database files only: their -wal, -shm and -journal are understood. */
  readonly files: readonly GateFile[]
}

type Awaitable<T> = T | Promise<T>

export interface GateLimits {
  /** Tenants that may be quiesced at once. */
  readonly maxPaused: number
  /** The longest lease granted at once; a longer one asked for is shortened, and the answer says so. */
  readonly ttlMsMax: number
  /** The longest hold by renewals, counted from quiesced. */
  readonly maxHoldMsMax: number
  /** The longest wait for requests of the tenant to end. */
  readonly drainTimeoutMsMax: number
  /** `close` and `open` are given this long each. */
  readonly closeMsMax: number
  readonly openMsMax: number
  /** How long `enter` waits for a quiesced tenant before it throws TenantPaused. */
  readonly waitMs: number
  /** How many may wait for one tenant; others get TenantPaused at once. */
  readonly waitingMax: number
  /** How long a kernel lease may keep the tenant from being taken up again before it is called unhealthy. */
  readonly reopenWaitMs: number
}

export interface GateOptions {
  /** Name of the service, as in holdfast.yaml. */
  readonly service: string
  readonly version: string
  /** Version of the SQLite library that the service runs (`select sqlite_version()`). */
  readonly sqliteVersion?: string | null
  /** Bearer token for every call. Without one the gate answers on unix sockets only, where the file mode guards it. */
  readonly token?: string
  /** A token that may look but not quiesce. */
  readonly readOnlyToken?: string
  readonly limits?: Partial<GateLimits>
  /** The registry. */
  readonly tenants: () => Awaitable<Iterable<GateTenant> | AsyncIterable<GateTenant>>
  /** One tenant of the registry, when that can be had faster than by reading all of it. */
  readonly find?: (tenantId: string) => Awaitable<GateTenant | null | undefined>
  /** Closes ALL handles of the tenant. Called when no request of it runs. May name files the registry does not. */
  readonly close: (tenantId: string, signal: AbortSignal) => Awaitable<void | { readonly files?: readonly GateFile[] }>
  /** Takes the tenant up again, at once or lazily. Called again, at growing intervals, until it succeeds. */
  readonly open: (tenantId: string) => Awaitable<void>
  /** Does the tenant work? Asked only while it is active. */
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

/** @throws {TypeError} for a limit that is no positive number: a gate without limits must not start. */
export function limitsOf(options: GateOptions): GateLimits {
  const limits = { ...defaultLimits, ...options.limits }
  for (const [name, value] of Object.entries(limits)) {
    if (!Number.isFinite(value) || value <= 0)
      throw new TypeError(`limits.${name} must be a positive number, not ${value}`)
  }
  return limits
}
