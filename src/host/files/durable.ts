/** Makes names survive a power cut. */
import { close, constants, fsync, open } from 'node:fs'
import { promisify } from 'node:util'
import { onDisk } from './file-name.ts'

const fsyncOf = promisify(fsync)

/** Waits until the names in a folder are on the disk: needed after create, rename and unlink. */
export async function syncFolder(path: string): Promise<void> {
  const descriptor = await promisify(open)(onDisk(path), constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await fsyncOf(descriptor)
  } finally {
    await promisify(close)(descriptor)
  }
}
