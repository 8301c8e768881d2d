/** A verified backup, as `backups list` shows it and a plan chooses it (backups.schema.json). */

import type { TenantId } from '../brand.ts'
import type { FailureCode } from '../failure.ts'

/** `verified`: it was restored to a scratch folder, and what came out was checked and sound. */
export type BackupState = 'verified' | 'unverified' | 'broken'

export interface Backup {
  readonly id: string
  readonly tenant: TenantId | null
  /** The live file that it was taken of. */
  readonly path: string
  /** Times as in ISO 8601. */
  readonly takenAt: string
  readonly verifiedAt: string | null
  /** Of the database file, uncompressed; lower-case hex. */
  readonly sha256: string
  readonly bytes: number
  readonly storedBytes: number
  readonly state: BackupState
  readonly failure: { readonly code: FailureCode; readonly message: string } | null
}
