/**
 * The manifest of a backup: what it is, and how it was proven. A checksum over the manifest itself shows a manifest
 * that was altered. Fields that a later version may add stay when the manifest is written again.
 */
import { createHash } from 'node:crypto'
import { lstat, open, rename } from 'node:fs/promises'
import { onDisk } from '../host/files/file-name.ts'
import { readSmallFile } from '../host/files/small-file.ts'
import { tenantId } from '../model/brand.ts'
import type { FailureCode } from '../model/failure.ts'
import type { BackupOrigin } from '../model/result/backup.ts'
import type { Evidence } from '../model/result/evidence.ts'
import type { ContentDigests } from '../model/result/last-good.ts'
import { draftOf, partPath, type BackedUpFile } from './layout.ts'

/** What is known of a settled database whose full check was sound. */
export interface SoundFile extends BackedUpFile {
  /** The name of the service; null without one. */
  readonly service: string | null
  readonly origin: BackupOrigin
  /** When the live set had this content, as in ISO 8601. */
  readonly takenAt: string
  /** True if `takenAt` is only the latest possible time. */
  readonly takenAtLatest?: true
  readonly content: ContentDigests
  readonly evidence: Evidence
  readonly tool: { readonly version: string; readonly sqlite: string }
}

/** Fields of the database header that belong to the content but to no table. */
export interface HeaderContent {
  readonly schemaCookie: number
  readonly userVersion: number
  readonly applicationId: number
  readonly textEncoding: number
}

export interface BackupManifest extends SoundFile {
  readonly schema: 'holdfast.backup/1'
  readonly id: string
  /** When the live file last had the same content again; null if that was not seen since. */
  readonly confirmedAt: string | null
  /** When the stored bytes were last decompressed, and came out as those of a sound file. */
  readonly verifiedAt: string | null
  /** Of the plain database file. */
  readonly bytes: number
  readonly sha256: string
  /** Of the compressed file. */
  readonly storedBytes: number
  readonly storedSha256: string
  readonly header: HeaderContent
  /** Why it must not be restored; null if nothing is known against it. */
  readonly broken: { readonly at: string; readonly code: FailureCode; readonly message: string } | null
}

/** A manifest with more tables than fit is refused when it is written. */
const manifestBytesMax = 64_000_000

export type ReadManifest =
  | { readonly kind: 'read'; readonly manifest: BackupManifest }
  | { readonly kind: 'missing' }
  | { readonly kind: 'wrong'; readonly why: string }

/** @throws the error of the system that reading met */
export async function readManifest(folder: string, id: string): Promise<ReadManifest> {
  const path = onDisk(partPath(folder, id, 'manifest'))
  const wrong = (why: string): ReadManifest => ({ kind: 'wrong', why })
  try {
    const { size } = await lstat(path)
    const file = await readSmallFile(path, Math.min(size, manifestBytesMax), 'refuse')
    if (file.kind !== 'read') return wrong('its manifest is no regular file, or too large')
    const given: unknown = JSON.parse(file.bytes.toString('utf8'))
    const { backupShape } = await import('./manifest-shape.ts') // Loads its library only if there is a manifest.
    const shaped = backupShape.safeParse(given)
    if (!shaped.success) return wrong('its manifest is not one that holdfast wrote')
    const { checksum, ...manifest } = given as BackupManifest & { readonly checksum: string }
    if (checksum !== checksumOf(manifest)) return wrong('its manifest was altered')
    if (manifest.id !== id) return wrong(`its manifest is that of ${JSON.stringify(manifest.id)}`)
    const tenant = manifest.tenant === null ? null : tenantId(manifest.tenant)
    return { kind: 'read', manifest: { ...manifest, tenant } }
  } catch (error) {
    if (error instanceof SyntaxError) return wrong('its manifest is no JSON')
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return { kind: 'missing' }
    if (code === 'ELOOP') return wrong('its manifest is a symbolic link')
    throw error
  }
}

/** Writes the manifest durably, in the place of an older one. The caller syncs the folder. */
export async function writeManifest(folder: string, manifest: BackupManifest): Promise<void> {
  const draft = onDisk(draftOf(folder, manifest.id, 'manifest'))
  {
    await using file = await open(draft, 'wx', 0o600)
    await file.writeFile(manifestText(manifest))
    await file.sync()
  }
  await rename(draft, onDisk(partPath(folder, manifest.id, 'manifest')))
}

const manifestText = (manifest: BackupManifest): string =>
  `${JSON.stringify({ ...manifest, checksum: checksumOf(manifest) }, null, 2)}\n`

const checksumOf = (manifest: BackupManifest): string =>
  createHash('sha256').update(JSON.stringify(manifest)).digest('hex')
