import type { TenantId } from '../brand.ts'

/** A page of a damaged file, as it was when it was checked. It has contents of rows. */
export interface DamagedPage {
  readonly tenant: TenantId | null
  readonly path: string
  /** From 1 on. */
  readonly page: number
  /** Bytes, as far as they are known: 4096 where the header cannot be read. */
  readonly pageSize: number
  /** Why it was kept: rules of findings, `header`, or `leads to page 69`. */
  readonly why: readonly string[]
  /** In base64; fewer than `pageSize` if the file ends there. */
  readonly bytes: string
}
