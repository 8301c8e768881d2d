import { closeSync, constants, fsyncSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { onDisk } from '../../../host/files/file-name.ts'

/** Waits, without a turn of the event loop, until the names in the folder of `path` are on the disk. */
export function syncNames(path: string): void {
  const folder = openSync(onDisk(dirname(path)), constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
