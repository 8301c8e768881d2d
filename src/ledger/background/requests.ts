/**
 * Requests for a triage in the background, in the folder `triage` of the ledger. Each is on the disk before the triage
 * begins. Only one works at a time, and a monitor that asks again and again is refused for a while.
 *
 * The lock belongs to a descriptor that the background process inherits: it ends with that process, even if that is
 * killed.
 */

import { createHash } from 'node:crypto'
import { closeSync, constants, openSync, readdirSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { systemFailure } from '../../host/failures/system-failure.ts'
import { makeFolders } from '../../host/folders/folder.ts'
import { SystemCallError } from '../../host/libc.ts'
import { tryLock } from '../../host/locks/byte-lock.ts'
import { readCheckedText, writeCheckedText } from '../../host/private-files/checked-file.ts'
import { giveToFolderOwner } from '../../host/private-files/folder-owner.ts'
import { ageOf } from '../../model/age.ts'
import type { TriageRequest } from '../../model/event.ts'
import { Failure } from '../../model/failure.ts'
import { humanMs } from '../../text/units.ts'
import { ofLedger, prepareFolder } from '../folder.ts'
import { timeOfRunId } from '../run-lock/run-id.ts'

/** The same monitor's service is not followed up again within this time. In ms. */
const coolDownMs = 10 * 60_000
/** So many requests are kept with what their triage printed. */
const keptMax = 50
const requestBytesMax = 65_536
const requestTitle = 'holdfast.triage-request/1'
const coolDownTitle = 'holdfast.triage-cool-down/1'

export interface AcceptedRequest extends Disposable {
  /** What the triage prints. */
  readonly outputPath: string
  readonly output: number
  /** To be inherited by the background process. */
  readonly lock: number
}

/** What a monitor is told apart by, and when it asks. */
export interface RequestOrigin {
  /** null: a person asks, who may ask as often as they like. */
  readonly monitor: string | null
  /** ms since 1970. */
  readonly now: number
}

const folderOf = (dir: string): string => join(dir, 'triage')
const requestPath = (dir: string, id: string): string => join(folderOf(dir), `${id}.request`)
const outputPathOf = (dir: string, id: string): string => join(folderOf(dir), `${id}.out`)

/**
 * Records the request, unless another one is being worked on, or the same monitor has asked a short while ago.
 * @throws {Failure} RUN_ACTIVE, TOO_SOON, LEDGER_UNUSABLE
 */
export async function acceptRequest(
  dir: string,
  request: TriageRequest,
  asking: RequestOrigin,
): Promise<AcceptedRequest> {
  await prepareFolder(dir)
  const folder = folderOf(dir)
  try {
    await makeFolders(folder, 0o700)
    const lock = takeLock(folder)
    try {
      if (asking.monitor !== null) await requireCool(folder, asking.monitor, asking.now)
      writeCheckedText(requestPath(dir, request.id), requestTitle, JSON.stringify(request))
      const outputPath = outputPathOf(dir, request.id)
      const output = openPrivately(outputPath, constants.O_EXCL)
      // Only now: a request that could not be recorded must not refuse the next one.
      if (asking.monitor !== null) noteAsking(folder, asking.monitor, asking.now, request.id)
      forgetOldest(folder, asking.now)
      return {
        outputPath,
        output,
        lock,
        [Symbol.dispose]: () => {
          closeSync(output)
          closeSync(lock)
        },
      }
    } catch (error) {
      closeSync(lock)
      throw error
    }
  } catch (error) {
    throw systemFailure(error, { doing: 'record the request for a triage', path: folder, ...ofLedger })
  }
}

/** A recorded request, as the background process reads it. @throws {Failure} USAGE if there is none */
export async function readRequest(dir: string, id: string): Promise<TriageRequest> {
  const path = requestPath(dir, id)
  const found = /^[0-9A-Z]{26}$/.test(id) ? await readCheckedText(path, requestTitle, requestBytesMax) : null
  if (found?.kind === 'read') return JSON.parse(found.text) as TriageRequest
  const why = found?.kind === 'wrong' ? found.why : 'there is none'
  throw new Failure('USAGE', `the request for a triage ${JSON.stringify(id)} cannot be read: ${why}`)
}

/** @throws {Failure} RUN_ACTIVE; what the system refuses */
function takeLock(folder: string): number {
  const lock = openPrivately(join(folder, 'lock'), 0)
  try {
    if (tryLock(lock, 'write', { start: 0, length: 1 }) === 'granted') return lock
  } catch (error) {
    // A file system without such locks: the run lock of the service still lets one triage work at a time.
    if (error instanceof SystemCallError) return lock
    closeSync(lock)
    throw error
  }
  closeSync(lock)
  throw new Failure('RUN_ACTIVE', 'a triage in the background works on this service', {
    hint: `its output is the newest file in ${folder}; wait until it ends`,
  })
}

function openPrivately(path: string, more: number): number {
  const { O_RDWR, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants
  const descriptor = openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | more, 0o600)
  giveToFolderOwner(descriptor, dirname(path))
  return descriptor
}

/** A hashed name, because what a monitor calls its service is untrusted text. */
const coolDownPath = (folder: string, monitor: string): string =>
  join(folder, `${createHash('sha256').update(monitor).digest('hex').slice(0, 32)}.cool-down`)

/** When the monitor has asked last, and the request that was accepted then. Older versions wrote no request. */
interface CoolDown {
  readonly at: number
  readonly request?: string
}

/** A note that cannot be read refuses nothing. @throws {Failure} TOO_SOON */
async function requireCool(folder: string, monitor: string, now: number): Promise<void> {
  const found = await readCheckedText(coolDownPath(folder, monitor), coolDownTitle, requestBytesMax)
  const last = found.kind === 'read' ? (JSON.parse(found.text) as CoolDown) : null
  const ageMs = last === null ? null : ageOf(last.at, now)
  if (ageMs !== null && ageMs < coolDownMs)
    throw new Failure(
      'TOO_SOON',
      `a triage was begun for ${JSON.stringify(monitor)} ${humanMs(ageMs)} ago; the next one may begin in ` +
        humanMs(coolDownMs - ageMs),
      last?.request === undefined
        ? {}
        : {
            hint:
              `${outputPathOf(dirname(folder), last.request)} is the output of that triage; ` +
              '`holdfast triage` without --detach begins immediately',
          },
    )
}

function noteAsking(folder: string, monitor: string, now: number, id: string): void {
  const note: CoolDown = { at: now, request: id }
  writeCheckedText(coolDownPath(folder, monitor), coolDownTitle, JSON.stringify(note))
}

/**
 * Removes the oldest requests with their output, and notes of monitors that are of no use any more. A request at a time
 * in the future, because a clock was wrong, counts as old.
 */
function forgetOldest(folder: string, now: number): void {
  const names = readdirSync(folder)
  const isAhead = (name: string): boolean => ageOf(timeOfRunId(name), now) === null
  const requests = names
    .filter((name) => name.endsWith('.request'))
    .toSorted((a, b) => Number(isAhead(b)) - Number(isAhead(a)) || (a < b ? -1 : 1))
  for (const name of requests.slice(0, Math.max(0, requests.length - keptMax))) {
    rmSync(join(folder, name), { force: true })
    rmSync(join(folder, name.replace(/request$/, 'out')), { force: true })
  }
  const coolDowns = names.filter((name) => name.endsWith('.cool-down'))
  if (coolDowns.length <= keptMax) return
  for (const name of coolDowns) if (isOld(join(folder, name), now)) rmSync(join(folder, name), { force: true })
}

const isOld = (path: string, now: number): boolean =>
  now - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? now) > coolDownMs
