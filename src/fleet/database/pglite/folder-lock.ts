/**
 * The lock of a PGlite folder, a file beside it. Two processes in one folder are not refused by PGlite, and rows are
 * lost without a word. The lock belongs to the open file, so it ends with its process, however that ends.
 */

import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { systemFailure } from '../../../host/failures/system-failure.ts'
import { tryLock } from '../../../host/locks/byte-lock.ts'
import { Failure } from '../../../model/failure.ts'

/** @throws {Failure} FLEET_IN_USE; the failure of the system */
export function lockFolder(dir: string): Disposable {
  const path = `${dir}.lock`
  let descriptor: number | null = null
  try {
    const { O_RDWR, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants
    descriptor = openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600)
    if (!fstatSync(descriptor).isFile()) throw new Failure('CONFIG_INVALID', `${path} is not a regular file`)
    if (tryLock(descriptor, 'write', { start: 0, length: 1 }) === 'refused')
      throw new Failure('FLEET_IN_USE', `another process has ${dir} open`)
  } catch (error) {
    if (descriptor !== null) closeSync(descriptor)
    throw systemFailure(error, { doing: 'lock', path })
  }
  const locked = descriptor
  return { [Symbol.dispose]: () => closeSync(locked) }
}
