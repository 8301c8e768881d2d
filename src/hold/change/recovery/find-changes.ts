/** Finds the records of changes. */
import { readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { systemFailure } from '../../../host/failures/system-failure.ts'
import { nameOf, onDisk } from '../../../host/files/file-name.ts'
import { requireTrustedFolder } from '../../snapshot/private-folder.ts'
import type { FoundChange, OriginalsLocation } from '../change-types.ts'
import { recordName } from '../original/original-folder.ts'
import { readChangeRecord } from '../record/record-file.ts'

const changeId = /^[0-9A-Z]{26}$/

/**
 * The changes whose originals are kept there, the newest first. Files of other users are not believed.
 * @throws {Failure} NO_PERMISSION and others if the folder cannot be read; SNAPSHOT_UNSAFE
 */
export function findChanges(place: OriginalsLocation): readonly FoundChange[] {
  return recordsIn(place).flatMap((file) => {
    const record = readChangeRecord(file)
    return record === null ? [] : [{ place, file, record }]
  })
}

/** Their paths, the newest first. */
export function recordsIn(place: OriginalsLocation): readonly string[] {
  if (place.kind === 'quarantine') requireTrustedFolder(place.folder, 'folder')
  const folder = place.kind === 'beside' ? dirname(place.file) : place.folder
  const stem = place.kind === 'beside' ? `${basename(place.file)}.original-` : ''
  return namesIn(folder)
    .flatMap((name) => {
      if (place.kind === 'quarantine')
        return changeId.test(name) ? [{ id: name, path: join(folder, name, recordName) }] : []
      const id = name.startsWith(stem) && name.endsWith('.json') ? name.slice(stem.length, -'.json'.length) : ''
      return changeId.test(id) ? [{ id, path: join(folder, name) }] : []
    })
    .toSorted((a, b) => (a.id < b.id ? 1 : -1))
    .map(({ path }) => path)
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(onDisk(folder), { encoding: 'buffer' }).map(nameOf)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw systemFailure(error, { doing: 'read the folder', path: folder, tenant: 'untouched' })
  }
}
