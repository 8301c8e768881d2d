/** What `sweep --heal` has changed by itself, and what it has left to a person. */

import type { TenantId } from '../brand.ts'
import type { RemedyResult } from './remedy.ts'

/** A damaged tenant that was not changed, and why: a clause. */
export interface LeftTenant {
  readonly tenant: TenantId
  readonly why: string
}

/** The field `healing` of a report of `sweep --heal`. */
export interface HealReport {
  /** `heal.limit`: so many tenants may be changed in one sweep. */
  readonly limit: number
  /** One for each file of a tenant that was tried. */
  readonly results: readonly RemedyResult[]
  /** The first thousand; `leftTotal` counts all. */
  readonly left: readonly LeftTenant[]
  readonly leftTotal: number
  /** Why no other tenant was changed; null if nothing stopped it. */
  readonly stopped: string | null
}
