/** One durable copy of a file of ours, by descriptor: made under a new name, compared with its digest, synced. */
import { closeSync, constants, fstatSync, fsync, openSync } from 'node:fs'
import { promisify } from 'node:util'
import { systemFailure } from '../../../host/failures/system-failure.ts'
import { copyRangeSparsely } from '../../../host/files/copy-range.ts'
import { openDescriptor } from '../../../host/files/descriptor.ts'
import { digestOf } from '../../../host/files/digest.ts'
import { onDisk } from '../../../host/files/file-name.ts'
import { Failure } from '../../../model/failure.ts'

export interface CopiedContent {
  readonly bytes: number
  readonly sha256: string
}

const sync = promisify(fsync)

/** Makes a file (0600) under a name that must be free. @throws {Failure} NO_SPACE, NO_PERMISSION and others */
export function makeFile(path: string): number {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
  try {
    return openSync(onDisk(path), flags, 0o600)
  } catch (error) {
    throw systemFailure(error, { doing: 'make', path, tenant: 'untouched' })
  }
}

/**
 * Copies a private file into an empty one, and waits until it is on the disk.
 * @param path of the copy, for the failure
 * @throws {Failure} NO_SPACE, READ_FAILED; the reason of the signal
 */
export async function copyDurably(from: string, to: number, path: string, signal: AbortSignal): Promise<CopiedContent> {
  try {
    using source = openDescriptor(from, 'read-only')
    const { size } = fstatSync(source.number)
    await copyRangeSparsely(source.number, to, { offset: 0, bytes: size }, signal)
    await sync(to)
    // Read again through the copy: what cannot be read there is noticed now.
    return await digestOf(to, signal)
  } catch (error) {
    if (error instanceof Failure || signal.aborted) throw error
    throw systemFailure(error, { doing: 'write', path, tenant: 'untouched' })
  }
}

/** @throws {Failure} READ_FAILED if the copy is not what it was to be */
export function requireContent(path: string, copied: CopiedContent, wanted: CopiedContent): void {
  if (copied.bytes === wanted.bytes && copied.sha256 === wanted.sha256) return
  throw new Failure('READ_FAILED', `${path} is not a true copy: its digest is not that of the file that was copied`, {
    tenant: 'untouched',
  })
}

/** A descriptor that is closed at the end of its scope. */
export const disposableDescriptor = (number: number): Disposable & { readonly number: number } => ({
  number,
  [Symbol.dispose]: () => closeSync(number),
})
