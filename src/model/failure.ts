/**
 * Failures: what kept holdfast from its work. They are thrown, they SHOUT, and all of them stand in one table.
 * Damage is never a failure, and a failure never says anything about the health of a tenant.
 */

/**
 * `machine`: the next tenant would probably meet the same, for there is no process, descriptor, memory or room for
 * anything. `tenant`: this one alone.
 */
export type Concerns = 'tenant' | 'machine'

/** What is known of the tenant after a failure (interfaces.md, `failure.tenantState`). */
export type TenantState = 'untouched' | 'active' | 'maybe-paused' | 'unknown'

interface FailureKind {
  /** Does the same attempt have a fair chance a moment later? */
  readonly retry: boolean
  /** The state of the tenant unless the thrower knows better. */
  readonly tenant: TenantState
  /** What an operator can do about it at night. */
  readonly hint: string
}

const kinds = {
  ADMIN_UNREACHABLE: {
    retry: true,
    tenant: 'untouched',
    hint:
      'is the service running, and does service.admin name its socket, or do the ' +
      'commands of service.hooks run? `holdfast doctor` tries each call',
  },
  ADMIN_REFUSED: {
    retry: false,
    tenant: 'untouched',
    hint: 'look at the token, its rights and the tenant id; `holdfast doctor` tries each call',
  },
  SERVICE_BUSY: {
    retry: true,
    tenant: 'untouched',
    hint: 'the service cannot quiesce this tenant now; the next sweep tries again',
  },
  CONTRACT_BROKEN: {
    retry: false,
    tenant: 'unknown',
    hint: 'the service does not keep the admin contract; run `holdfast doctor` and show its owner the failing step',
  },
  QUIESCE_TIMEOUT: {
    retry: true,
    tenant: 'unknown',
    hint: 'requests of this tenant did not drain in time; try at a quieter hour or raise hold.drainTimeout',
  },
  LEASE_LOST: {
    retry: true,
    tenant: 'unknown',
    hint: 'the pause outlasted the lease; raise hold.ttl, or use WAL or a reflink file system for a shorter pause',
  },
  IN_USE: {
    retry: true,
    tenant: 'untouched',
    hint: '`holdfast holders FILE` names the programs that have the file open; try again when they have closed it',
  },
  LOCK_BUSY: {
    retry: true,
    tenant: 'untouched',
    hint: '`holdfast holders FILE` names the programs that hold a lock on the database; try later',
  },
  LOCK_NOT_HONOURED: {
    retry: false,
    tenant: 'unknown',
    hint:
      'locks on this machine do not exclude anybody: stop using holdfast ' +
      'here and look at the mount; `holdfast doctor`',
  },
  LOCKS_UNTRUSTED: {
    retry: false,
    tenant: 'untouched',
    hint:
      'locks are not dependable on this file system; run holdfast where the ' +
      'disk is local, or name the mount in tenants.trustMounts',
  },
  LEASE_UNAVAILABLE: {
    retry: false,
    tenant: 'untouched',
    hint:
      'run as the owner of the file or with CAP_LEASE on a local file system, ' +
      'or allow the weaker level with hold.require: exclusive',
  },
  WRITER_SEEN: {
    retry: true,
    tenant: 'unknown',
    hint: 'the file changed although its writer was said to stand still; `holdfast holders FILE` may name who wrote',
  },
  COPY_CHANGED: {
    retry: true,
    tenant: 'unknown',
    hint: 'the file changed while it was being copied; the copy was thrown away; try again',
  },
  GUARDIAN_LOST: {
    retry: false,
    tenant: 'unknown',
    hint: 'the guardian process ended; nothing is held without it; look for an out-of-memory kill and run again',
  },
  READ_FAILED: {
    retry: true,
    tenant: 'unknown',
    hint: 'the operating system refused; look at the kernel log (`dmesg`), and at free descriptors and memory',
  },
  NO_SPACE: {
    retry: false,
    tenant: 'untouched',
    hint:
      'free space in the snapshot folder, or name a folder on another disk in ' +
      'snapshots.dir (for files: `--snapshots DIR`, or TMPDIR)',
  },
  NOT_SQLITE: {
    retry: false,
    tenant: 'untouched',
    hint: 'the file has no SQLite header: it is encrypted, foreign, or its beginning was overwritten',
  },
  EMPTY_FILE: {
    retry: false,
    tenant: 'untouched',
    hint: 'the file has no bytes; if data was here, restore it from a backup',
  },
  NOT_FOUND: { retry: false, tenant: 'untouched', hint: 'check the path' },
  NOT_A_FILE: { retry: false, tenant: 'untouched', hint: 'name a regular file, or a folder that holds databases' },
  NO_PERMISSION: {
    retry: false,
    tenant: 'untouched',
    hint: 'look at owner, mode and attributes of the path and of the folders above it (`namei -l`, `lsattr -d`)',
  },
  PATH_OUTSIDE_ROOTS: {
    retry: false,
    tenant: 'untouched',
    hint: 'the service named a file outside tenants.roots; correct the roots, or find out why it did',
  },
  MANY_NAMES: {
    retry: false,
    tenant: 'untouched',
    hint:
      'a database with several names loses its journal under the others; ' +
      'leave it one name and no symbolic links in its live set',
  },
  TOO_LARGE_FOR_PAUSE: {
    retry: false,
    tenant: 'untouched',
    hint: 'use WAL mode or a reflink file system (xfs, btrfs) for a short pause, or raise hold.maxPause',
  },
  RESUME_FAILED: {
    retry: true,
    tenant: 'maybe-paused',
    hint:
      'run `holdfast resume --all` now; a lease ends by itself at its ' +
      'deadline, but ONLY A RESUME ENDS A PAUSE BY HOOKS',
  },
  RUN_ACTIVE: {
    retry: true,
    tenant: 'untouched',
    hint: 'another run of holdfast works on this service; wait for it to end',
  },
  CONFIG_INVALID: {
    retry: false,
    tenant: 'untouched',
    hint: 'correct the configuration; `holdfast explain KEY` explains a key, such as hold.ttl; nothing was touched',
  },
  REGISTRY_STALE: {
    retry: true,
    tenant: 'untouched',
    hint: 'the service gives no valid list of tenants; `holdfast doctor` tries its admin API or service.hooks',
  },
  TENANT_UNKNOWN: { retry: false, tenant: 'untouched', hint: '`holdfast status` lists the tenants that are known' },
  TENANT_GONE: {
    retry: false,
    tenant: 'unknown',
    hint:
      'the service no longer lists this tenant; if it was removed on ' +
      'purpose, do nothing: later runs do not name it',
  },
  FILE_GONE: {
    retry: false,
    tenant: 'unknown',
    hint:
      'the service lists this tenant without this file; if that is on ' +
      'purpose, do nothing: later runs do not name it',
  },
  SNAPSHOT_UNSAFE: {
    retry: false,
    tenant: 'untouched',
    hint: "the snapshot folder holds customers' data: make it a folder of its own with mode 0700",
  },
  CANNOT_CONFINE: {
    retry: false,
    tenant: 'untouched',
    hint:
      'run holdfast as the user that owns the databases, or give root the ' +
      'missing capabilities; `holdfast doctor` tests it',
  },
  PLATFORM_UNSUPPORTED: {
    retry: false,
    tenant: 'untouched',
    hint: 'holding needs Linux; elsewhere check a private copy with `holdfast check --snapshot FILE`',
  },
  LEDGER_UNUSABLE: {
    retry: false,
    tenant: 'untouched',
    hint: 'the ledger cannot be used; look at ledger.dir, its owner and its free space',
  },
  INTERRUPTED: {
    retry: false,
    tenant: 'untouched',
    hint:
      'run again when you are ready: the next sweep begins with ' +
      'tenants that were never checked, or not found sound',
  },
  USAGE: { retry: false, tenant: 'untouched', hint: 'see `holdfast --help`' },
} as const satisfies Record<string, FailureKind>

export type FailureCode = keyof typeof kinds
/** Every failure code with its kind, for `explain` and for the tests that keep the table honest. */
export const failureKinds: Readonly<Record<FailureCode, FailureKind>> = kinds

export interface FailureDetail {
  readonly cause?: unknown
  /** Overrides the table's state of the tenant. */
  readonly tenant?: TenantState
  /** Overrides the table's hint, when more is known. */
  readonly hint?: string
  /** Overrides whether the same attempt has a fair chance a moment later. */
  readonly retry?: boolean
  /** Left out: the tenant alone. */
  readonly concerns?: Concerns
}

/** Thrown where holdfast cannot go on with this tenant or this run. The message says what was tried on what. */
export class Failure extends Error {
  override readonly name = 'Failure'
  readonly code: FailureCode
  readonly retry: boolean
  readonly hint: string
  readonly tenantState: TenantState
  readonly concerns: Concerns

  constructor(code: FailureCode, message: string, detail: FailureDetail = {}) {
    super(message, 'cause' in detail ? { cause: detail.cause } : undefined)
    const kind = kinds[code]
    this.code = code
    this.retry = detail.retry ?? kind.retry
    this.hint = detail.hint ?? kind.hint
    this.tenantState = detail.tenant ?? kind.tenant
    this.concerns = detail.concerns ?? 'tenant'
  }

  /** The same failure with what has since been learnt of the tenant. */
  withTenant(tenant: TenantState): Failure {
    return this.#with(this.code, tenant)
  }

  /** The same trouble, as the part of holdfast calls it that met it. */
  withCode(code: FailureCode): Failure {
    return this.#with(code, kinds[code].tenant)
  }

  #with(code: FailureCode, tenant: TenantState): Failure {
    const { message, cause, hint, retry, concerns } = this
    return new Failure(code, message, { cause, hint, retry, concerns, tenant })
  }
}
