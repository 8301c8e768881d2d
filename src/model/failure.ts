/**
 * Failures: what kept holdfast from its work. They are thrown, their codes SHOUT, and one table has all of them.
 * Damage is never a failure, and a failure never says anything about the health of a tenant.
 */

import type { FailureKind, TenantState } from './failures/failure-kind.ts'
import { fileFailures } from './failures/file-failures.ts'
import { fleetFailures } from './failures/fleet-failures.ts'
import { machineFailures } from './failures/machine-failures.ts'
import { remedyFailures } from './failures/remedy-failures.ts'
import { runFailures } from './failures/run-failures.ts'
import { serviceFailures } from './failures/service-failures.ts'

export type { TenantState } from './failures/failure-kind.ts'

const kinds = {
  ...serviceFailures,
  ...fileFailures,
  ...machineFailures,
  ...remedyFailures,
  ...runFailures,
  ...fleetFailures,
}

export type FailureCode = keyof typeof kinds
/** The failure table: one row for each code, with all that is true of it (failures/failure-kind.ts). */
export const failureKinds: Readonly<Record<FailureCode, FailureKind>> = kinds

/** What says that holdfast may do harm, or that locks do not hold. */
export const signsOfHarm: ReadonlySet<string> = new Set<FailureCode>(['HARM_SUSPECTED', 'LOCK_NOT_HONOURED'])

/**
 * `tenant`: the failure concerns this tenant alone. `machine`: the next tenant would probably meet the same, because
 * the machine has no process, descriptor, memory or disk space left.
 */
export type FailureScope = 'tenant' | 'machine'

export interface FailureDetail {
  readonly cause?: unknown
  /** Overrides the state of the tenant in the table. */
  readonly tenant?: TenantState
  /** Overrides the hint in the table, when more is known. */
  readonly hint?: string
  /** Overrides `retry` in the table. */
  readonly retry?: boolean
  /** Left out: `tenant`. */
  readonly concerns?: FailureScope
}

/** Thrown where holdfast cannot go on with this tenant or this run. The message says what was tried on what. */
export class Failure extends Error {
  override readonly name = 'Failure'
  readonly code: FailureCode
  readonly retry: boolean
  readonly hint: string
  readonly tenantState: TenantState
  readonly concerns: FailureScope

  constructor(code: FailureCode, message: string, detail: FailureDetail = {}) {
    super(message, 'cause' in detail ? { cause: detail.cause } : undefined)
    const kind = failureKinds[code]
    this.code = code
    this.retry = detail.retry ?? kind.retry
    this.hint = detail.hint ?? kind.hint
    this.tenantState = detail.tenant ?? kind.tenant
    this.concerns = detail.concerns ?? 'tenant'
  }

  /** The same failure with what is now known about the tenant. */
  withTenant(tenant: TenantState): Failure {
    return this.#with(this.code, tenant)
  }

  /** The same failure under the code of the part of holdfast that met it. */
  withCode(code: FailureCode): Failure {
    return this.#with(code, failureKinds[code].tenant)
  }

  /** The same failure where more is known about what helps. */
  withHint(hint: string): Failure {
    return this.#with(this.code, this.tenantState, hint)
  }

  #with(code: FailureCode, tenant: TenantState, hint: string = this.hint): Failure {
    const { message, cause, retry, concerns } = this
    return new Failure(code, message, { cause, hint, retry, concerns, tenant })
  }
}
