/** A verified backup, as `backups list` shows it and a plan chooses it (backups.schema.json). */

import type { TenantId } from '../brand.ts'
import type { FailureCode } from '../failure.ts'
import type { SealLevel } from './evidence.ts'

/** `verified`: it was restored to a scratch folder, and what came out was checked and sound. */
type BackupState = 'verified' | 'unverified' | 'broken'

/** `backup:ID` on a command line always means a backup. */
export const backupPrefix = 'backup:'

/** `held`: a snapshot of a hold. `copied`: a private copy. `fetched`: brought by the command `backups.fetch`. */
export const backupOrigins = ['held', 'copied', 'fetched'] as const
export type BackupOrigin = (typeof backupOrigins)[number]

export interface Backup {
  readonly id: string
  readonly tenant: TenantId | null
  /** The live file that it was taken of; of a broken backup without a manifest, the stored file itself. */
  readonly path: string
  /** Times as in ISO 8601. */
  readonly takenAt: string
  /** Present if `takenAt` is only the latest possible time: `backups.fetch` named none. */
  readonly takenAtLatest?: true
  /** When the live file last had the same content again; null if that was not seen since. */
  readonly confirmedAt: string | null
  readonly verifiedAt: string | null
  /** Of the database file, uncompressed; lower-case hex. null if its manifest cannot be read; so is `bytes`. */
  readonly sha256: string | null
  readonly bytes: number | null
  readonly storedBytes: number
  /** How strong the proof of the copy was; `none` for a private copy. null if its manifest cannot be read. */
  readonly level: SealLevel | null
  readonly state: BackupState
  /** Present for `broken`. */
  readonly failure: { readonly code: FailureCode; readonly message: string } | null
}

/** A backup that may be restored. */
export type VerifiedBackup = Backup & {
  readonly verifiedAt: string
  readonly sha256: string
  readonly bytes: number
  readonly state: 'verified'
}
