import type { TenantId } from '../model/brand.ts'

/** What is known of a file beside its reading. */
export interface DiagnosisContext {
  /** null for bare files. */
  readonly tenant: TenantId | null
  /** The live path, for commands. */
  readonly path: string
  /** Version of the SQLite that the service runs, null where it is not known. */
  readonly serviceSqlite: string | null
  /** Type of the file system that the live file lies on, null where it is not known. */
  readonly fileSystem: string | null
  /** Hard link count of the live file. */
  readonly links: number
  /** A backup of this tenant that has itself been restored and checked exists. */
  readonly verifiedBackup: boolean
  /** `check.accept`: what may stay unread without making the verdict inconclusive. */
  readonly accept: readonly 'unknown-collation'[]
}
