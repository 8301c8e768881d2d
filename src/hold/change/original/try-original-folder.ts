/** Whether the originals of a change could be kept, for a plan. Leaves everything as it was. */
import { access, constants } from 'node:fs/promises'
import { dirname } from 'node:path'
import { systemFailure } from '../../../host/failures/system-failure.ts'
import { onDisk } from '../../../host/files/file-name.ts'
import { tryFolder, removeFolders } from '../../../host/folders/folder.ts'
import type { ChangeId } from '../../../model/brand.ts'
import { resolveLivePath } from '../../live/live-path.ts'
import { makeTrustedFolder } from '../../snapshot/private-folder.ts'
import type { OriginalFile, OriginalsLocation } from '../change-types.ts'
import { changedBytesOf, requireSpaceForChange } from './disk-space.ts'
import { makePlace } from './original-folder.ts'

/** @throws {Failure} what `keepOriginal` would throw over this place, and a change over the folder of a live file */
export async function tryOriginalFolder(
  files: readonly Pick<OriginalFile, 'named' | 'snapshot'>[],
  place: OriginalsLocation,
  change: ChangeId,
): Promise<void> {
  const live = await Promise.all(
    files.map(async ({ named, snapshot }) => ({ path: await resolveLivePath(named, null, true), snapshot })),
  )
  const made = place.kind === 'quarantine' ? await makeTrustedFolder(place.folder) : []
  try {
    const kept = await makePlace(place, change)
    try {
      if (place.kind === 'quarantine') await withFolderFailure(kept.folder, tryFolder(kept.folder, 0o700))
      for (const folder of new Set(live.map(({ path }) => dirname(path))))
        await withFolderFailure(folder, access(onDisk(folder), constants.W_OK | constants.X_OK))
      requireSpaceForChange(kept.folder, live.map(changedBytesOf))
    } finally {
      kept.remove()
    }
  } finally {
    await removeFolders(made)
  }
}

/** The folder of a live file is only asked about: without --apply nothing is made there. */
const withFolderFailure = (folder: string, work: Promise<void>): Promise<void> =>
  work.catch((error: unknown) => {
    throw systemFailure(error, { doing: 'make files in', path: folder, tenant: 'untouched' })
  })
