/** Names in the store: which folder the backups of a file lie in, and what the files of one backup are called. */
import { createHash, randomBytes } from 'node:crypto'
import { basename, join } from 'node:path'
import type { TenantId } from '../model/brand.ts'

/** Which database file a backup is of: a file of a tenant, or a bare file. */
export interface BackedUpFile {
  /** null for a bare file. */
  readonly tenant: TenantId | null
  /** As the service names it; for a bare file the real path. */
  readonly path: string
}

/** The folders of tenants, and those of bare files. */
export const groups = ['tenants', 'files'] as const

const hashLetters = 16
const readableMax = 40

/**
 * The folder of a file, below that of the store. Its name begins with the readable part of the id, for people. A digest
 * of the whole id tells ids apart that look alike, and is what counts.
 */
export function backupFolderOf({ tenant, path }: BackedUpFile): string {
  return tenant === null ? join('files', encodeName(basename(path), path)) : join('tenants', encodeName(tenant, tenant))
}

function encodeName(shown: string, whole: string): string {
  const readable = shown.replaceAll(/[^A-Za-z0-9._-]+/g, '_').slice(0, readableMax)
  // UTF-16, because UTF-8 has the same bytes for every lone surrogate.
  const digest = createHash('sha256').update(Buffer.from(whole, 'utf16le')).digest('hex').slice(0, hashLetters)
  return `${readable.replace(/^\./, '_')}-${digest}`
}

/** `20261128T143941123Z-4f2a9c01`: when the backup was taken, and 32 random bits. */
const idForm = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z-[0-9a-f]{8}$/

export const isBackupId = (text: string): boolean => idForm.test(text)

/** A new id; ids sort by `takenAt`. */
export const newBackupId = (takenAt: string): string =>
  `${new Date(takenAt).toISOString().replaceAll(/[-:.]/g, '')}-${randomBytes(4).toString('hex')}`

/** The time in an id, as in ISO 8601. */
export const timeInId = (id: string): string => id.replace(idForm, '$1-$2-$3T$4:$5:$6.$7Z')

/** The parts of a backup. `partial`: while it is written. `removed`: its manifest, while it is deleted. */
const suffixes = { stored: '.db.zst', manifest: '.json', partial: '.db.zst.partial', removed: '.json.removed' } as const
type NamedPart = keyof typeof suffixes
export type EntryPart = NamedPart | 'draft'

export const partPath = (folder: string, id: string, part: NamedPart): string => join(folder, id + suffixes[part])

/**
 * A new name for a manifest while it is written, because two runs may write one at the same time. Also for a stored
 * file before it is locked.
 */
export const draftOf = (folder: string, id: string, part: 'manifest' | 'stored'): string =>
  `${partPath(folder, id, part)}.${randomBytes(4).toString('hex')}.partial`

const draftForm = /^(.+)\.(?:json|db\.zst)\.[0-9a-f]{8}\.partial$/

/** @returns null for a file that is no part of a backup */
export function partOf(name: string): { readonly id: string; readonly part: EntryPart } | null {
  const drafted = draftForm.exec(name)?.[1]
  if (drafted !== undefined) return isBackupId(drafted) ? { id: drafted, part: 'draft' } : null
  for (const part of Object.keys(suffixes) as NamedPart[]) {
    const id = name.endsWith(suffixes[part]) ? name.slice(0, -suffixes[part].length) : ''
    if (isBackupId(id)) return { id, part }
  }
  return null
}
