import type { TenantId } from '../../model/brand.ts'

/** One database file to be examined. */
export interface Target {
  /** null for a bare file. */
  readonly tenant: TenantId | null
  /** The path as the service or a person wrote it. */
  readonly named: string
}
