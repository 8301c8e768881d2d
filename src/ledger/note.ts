/**
 * An empty file beside the ledger that says: runs were recorded here. It distinguishes a ledger that was lost or
 * emptied from one that was never begun.
 */

import { closeSync, constants, lstatSync, openSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isSystemError, nameOfError } from '../host/failures/system-failure.ts'
import { giveToFolderOwner } from '../host/private-files/folder-owner.ts'

const noteFile = (folder: string): string => join(folder, 'ledger.note')

export function runsWereRecorded(folder: string): boolean {
  try {
    return lstatSync(noteFile(folder), { throwIfNoEntry: false }) !== undefined
  } catch (error) {
    if (isSystemError(error) && nameOfError(error) === 'ENOTDIR') return false
    throw error
  }
}

/** @param file the ledger file */
export function noteRuns(file: string): void {
  const folder = dirname(file)
  if (runsWereRecorded(folder)) return
  const { O_WRONLY, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants
  const descriptor = openSync(noteFile(folder), O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600)
  try {
    giveToFolderOwner(descriptor, folder)
  } finally {
    closeSync(descriptor)
  }
}
