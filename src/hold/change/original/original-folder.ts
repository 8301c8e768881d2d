/** Where the original of a change lies, and how its files are called there. */
import { mkdirSync, rmdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { systemFailure } from '../../../host/failures/system-failure.ts'
import { onDisk } from '../../../host/files/file-name.ts'
import type { ChangeId } from '../../../model/brand.ts'
import { Failure } from '../../../model/failure.ts'
import { requirePrivateFolder } from '../../snapshot/private-folder.ts'
import type { OriginalsLocation } from '../change-types.ts'
import { syncNames } from '../steps/sync-names.ts'
import { draftEnd } from './kept-names.ts'

export const recordName = 'change.json'

export interface OriginalFolder {
  readonly folder: string
  readonly record: string
  /** Name of the main file of the nth kept set, counted from 1. WAL and journal have SQLite's endings. */
  nameOf(nth: number, path: string): string
  /** Deletes the folder if it is empty and was made for this change. */
  remove(): void
}

/** Names and folder of a change. Makes nothing. */
export function originalFolderOf(place: OriginalsLocation, change: ChangeId): OriginalFolder {
  if (place.kind === 'beside') {
    const stem = `${basename(place.file)}.original-${change}`
    const folder = dirname(place.file)
    return { folder, record: join(folder, `${stem}.json`), nameOf: () => stem, remove: () => undefined }
  }
  const folder = join(place.folder, change)
  return {
    folder,
    record: join(folder, recordName),
    nameOf: (nth, path) => (nth === 1 && !isTaken(basename(path)) ? basename(path) : `${nth}-${basename(path)}`),
    remove: () => {
      try {
        rmdirSync(onDisk(folder))
      } catch {
        // Not empty, or gone already.
      }
    },
  }
}

/** Names that the record has, or another file of the tenant may get. */
const isTaken = (name: string): boolean => /^\d+-/.test(name) || name.startsWith(recordName)

/** @throws {Failure} SNAPSHOT_UNSAFE, NO_SPACE, NO_PERMISSION and others; NOT_FOUND for a name that is too long */
export async function makePlace(place: OriginalsLocation, change: ChangeId): Promise<OriginalFolder> {
  const kept = originalFolderOf(place, change)
  if (place.kind === 'beside') {
    requireShortName(kept.record)
    return kept
  }
  await requirePrivateFolder(place.folder, privateHint)
  try {
    mkdirSync(onDisk(kept.folder), { mode: 0o700 })
    syncNames(kept.folder)
  } catch (error) {
    throw systemFailure(error, {
      doing: 'make the folder for the original,',
      path: kept.folder,
      tenant: 'untouched',
      elsewhere: 'name another folder in quarantine.dir (for files: `--quarantine DIR`)',
    })
  }
  return kept
}

const privateHint =
  "originals hold customers' data: make this folder one of its own with mode 0700 (`chmod 700`), or name another in " +
  'quarantine.dir (for files: `--quarantine DIR`)'

/** What a file system allows for one name. */
const nameBytesMax = 255
/** The longest ending of a name that begins as that of the record does. */
const endingBytes = `-journal${draftEnd}`.length

function requireShortName(record: string): void {
  if (Buffer.byteLength(onDisk(basename(record, '.json'))) + endingBytes <= nameBytesMax) return
  throw new Failure(
    'NOT_FOUND',
    `no original can be kept beside the file: ${basename(record)} is too long for a name`,
    {
      tenant: 'untouched',
      hint: 'keep the original in another folder, under the name that the file has: `--quarantine DIR`',
    },
  )
}
