import type { TenantId } from '../model/brand.ts'
import type { AcceptedLimit } from '../model/result/verdict.ts'

/** What is known of a file besides its reading. */
export interface DiagnosisContext {
  /** null for bare files. */
  readonly tenant: TenantId | null
  /** The live path, for commands. */
  readonly path: string
  /** Version of the SQLite that the service runs; null if it is not known. */
  readonly serviceSqlite: string | null
  /** Type of the file system of the live file; null if it is not known. */
  readonly fileSystem: string | null
  /** Hard link count of the live file. */
  readonly links: number
  /** True if a backup of this tenant exists that was itself restored and checked. */
  readonly verifiedBackup: boolean
  /** `check.accept`: parts that may stay unread without making the verdict inconclusive. */
  readonly accept: readonly AcceptedLimit[]
}
