/**
 * The file of the state, in the ledger's folder: one for each service. Runs may end while others begin, so each change
 * reads the file, changes it and writes it, under a lock.
 */

import { closeSync, constants, openSync } from 'node:fs'
import { join } from 'node:path'
import { monotonicMs, sleep } from '../../host/clock.ts'
import { isSystemError } from '../../host/failures/system-failure.ts'
import { tryLock } from '../../host/locks/byte-lock.ts'
import { readCheckedText, writeCheckedText } from '../../host/private-files/checked-file.ts'
import { giveToFolderOwner } from '../../host/private-files/folder-owner.ts'
import { Failure } from '../../model/failure.ts'
import { noState, type AlarmState } from './alarm-state.ts'
import { readState } from './state-shape.ts'

const title = 'holdfast.alarm-state/1'
/** A hundred conditions with a thousand files each would be more: then the file is not read, and everything is sent. */
const bytesMax = 32 << 20
const lockWaitMs = 2_000
const lockAgainMs = 20

const stateFile = (dir: string, service: string): string => join(dir, `alarms-${encodeURIComponent(service)}`)

export interface LoadedState {
  readonly state: AlarmState
  /** Why an earlier state is not used; null if it is, or if there is none. */
  readonly why: string | null
}

/** Without a state everything is sent, so a file that cannot be used is as none. */
export async function loadState(dir: string, service: string): Promise<LoadedState> {
  const found = await readCheckedText(stateFile(dir, service), title, bytesMax)
  switch (found.kind) {
    case 'missing':
      return { state: noState, why: null }
    case 'wrong':
      return { state: noState, why: found.why }
    case 'read': {
      const state = readState(found.text)
      return state === null ? { state: noState, why: 'another version of holdfast wrote it' } : { state, why: null }
    }
  }
}

/**
 * Changes the state on the disk.
 * @param change gets the state as it is, or an empty one if it cannot be read
 * @returns why the state could not be written; null if it was
 */
export async function changeState(
  dir: string,
  service: string,
  change: (state: AlarmState) => AlarmState,
): Promise<string | null> {
  using _lock = await lockState(dir, service)
  const { state } = await loadState(dir, service)
  const next = change(state)
  try {
    writeCheckedText(stateFile(dir, service), title, JSON.stringify(next))
    return null
  } catch (error) {
    if (error instanceof Failure) return error.message
    throw error
  }
}

/** Waits for at most two seconds. Without the lock an alarm may go out twice, or its recovery may not: none is lost. */
async function lockState(dir: string, service: string): Promise<Disposable> {
  const nothing = { [Symbol.dispose]: () => undefined }
  try {
    const { O_RDWR, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants
    const descriptor = openSync(`${stateFile(dir, service)}.lock`, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600)
    const lock = { [Symbol.dispose]: () => closeSync(descriptor) }
    try {
      giveToFolderOwner(descriptor, dir)
      for (const untilMs = monotonicMs() + lockWaitMs; monotonicMs() < untilMs; await sleep(lockAgainMs))
        if (tryLock(descriptor, 'write', { start: 0, length: 1 }) === 'granted') break
      return lock
    } catch (error) {
      lock[Symbol.dispose]()
      throw error
    }
  } catch (error) {
    if (isSystemError(error)) return nothing
    throw error
  }
}
