/**
 * SQLite takes an empty file for an empty database: programs make one, and write to it later. There is nothing in it
 * to check yet.
 */
import { stat } from 'node:fs/promises'
import { isSystemError, nameOfError } from '../../host/failures/system-failure.ts'
import { onDisk } from '../../host/files/file-name.ts'

/** True if the file is empty, and no WAL and no journal beside it has bytes. False in doubt. Opens nothing. */
export async function holdsNothing(path: string): Promise<boolean> {
  if ((await bytesOf(path)) !== 0) return false
  const beside = await Promise.all(['-wal', '-journal'].map((part) => bytesOf(path + part)))
  return beside.every((bytes) => bytes === 0 || bytes === 'absent')
}

async function bytesOf(path: string): Promise<number | 'absent' | 'unknown'> {
  try {
    const found = await stat(onDisk(path))
    return found.isFile() ? found.size : 'unknown'
  } catch (error) {
    return isSystemError(error) && nameOfError(error) === 'ENOENT' ? 'absent' : 'unknown'
  }
}
