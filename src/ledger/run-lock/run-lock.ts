/**
 * One run at a time for each service. Two runs that both believed to have this lock would still do no harm, because the
 * seal refuses the second. The run lock consists of two locks, taken in this order:
 *
 * 1. the kernel's lock on the file `run-SERVICE.json`: it ends with its process, even if that is killed;
 * 2. proper-lockfile's folder `run-SERVICE.lock`: it works where the kernel's lock does not, and is stale after 60 s.
 *
 * A crash must not cost the next run a minute. So a folder that was left behind is removed immediately if the kernel's
 * lock is free *and* the process that wrote the file is gone. It is gone if it is no process of this machine any more.
 * It is also gone if it had the kernel's lock since the last start of this machine, perhaps in a container that has
 * ended. In doubt the run waits for the 60 s.
 *
 * A run that does not get the kernel's lock does not try the folder. Suppose it took the folder alone. Until the file
 * is signed, the next run with the kernel's lock would believe that the folder was left behind.
 */

import { constants } from 'node:fs'
import { lstat, open, rmdir, utimes, type FileHandle } from 'node:fs/promises'
import lockfile from 'proper-lockfile'
import { bootId } from '../../host/boot.ts'
import { systemFailure } from '../../host/failures/system-failure.ts'
import { tryLock } from '../../host/locks/byte-lock.ts'
import { isSurelyGone } from '../../host/process/owner-mark.ts'
import { ageOf } from '../../model/age.ts'
import type { RunId } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import { runLockFile, ofLedger, prepareFolder } from '../folder.ts'
import { ownerOfThisRun, ownerBytesMax, readOwner } from './run-owner.ts'
import type { RunOwner } from './run-owner.ts'

export interface RunLock extends AsyncDisposable {
  /** Aborts if the lock is lost: the run begins no new hold, resumes what is paused, and ends with exit code 75. */
  readonly compromised: AbortSignal
}

const staleMs = 60_000
const updateMs = 10_000

/**
 * @param service its name in the configuration
 * @throws {Failure} RUN_ACTIVE, naming the other run; LEDGER_UNUSABLE
 */
export async function takeRunLock(dir: string, service: string, run: RunId | null = null): Promise<RunLock> {
  await prepareFolder(dir)
  const name = runLockFile(dir, service)
  try {
    return await lock(name, run)
  } catch (error) {
    throw systemFailure(error, { doing: 'take the run lock', path: `${name}.json`, ...ofLedger })
  }
}

/** @throws the error of the call that was refused */
async function lock(name: string, run: RunId | null): Promise<RunLock> {
  const file = await openOwnerFile(`${name}.json`)
  try {
    const kernel = lockByKernel(file)
    const owner = await ownerIn(file)
    // The run that has it may not have signed yet: then the file names a run that is gone.
    if (kernel === 'refused') throw active(owner !== null && isSurelyGone(owner) ? null : owner)
    if (kernel === 'granted' && owner !== null && isLeftBehind(owner)) await removeAbandonedFolder(`${name}.lock`)
    if (kernel === 'granted') await correctFutureTime(`${name}.lock`)
    const compromised = new AbortController()
    const release = await lockByFolder(name, owner, kernel, compromised)
    const held = new HeldRunLock(name, file, release, compromised.signal)
    await held.sign(run, kernel === 'granted').catch(async (error: unknown) => {
      await release()
      throw error
    })
    return held
  } catch (error) {
    await file.close()
    throw error
  }
}

class HeldRunLock implements RunLock {
  readonly compromised: AbortSignal
  readonly #name: string
  readonly #file: FileHandle
  readonly #release: () => Promise<void>
  #released = false

  constructor(name: string, file: FileHandle, release: () => Promise<void>, compromised: AbortSignal) {
    this.#name = name
    this.#file = file
    this.#release = release
    this.compromised = compromised
  }

  async sign(run: string | null, locked: boolean): Promise<void> {
    const text = Buffer.from(`${JSON.stringify(ownerOfThisRun(run, locked))}\n`)
    await this.#file.write(text, 0, text.length, 0)
    await this.#file.truncate(text.length)
  }

  /** The folder first: meanwhile the kernel's lock prevents that another run takes it for one left behind. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#released) return
    this.#released = true
    try {
      // A lock that was lost belongs to another run by now.
      if (!this.compromised.aborted) await this.#release()
    } catch (error) {
      if (['ERELEASED', 'ENOTACQUIRED'].includes(codeOf(error))) return
      throw systemFailure(error, { doing: 'give up the run lock', path: `${this.#name}.lock`, ...ofLedger })
    } finally {
      await this.#file.close()
    }
  }
}

async function openOwnerFile(path: string): Promise<FileHandle> {
  const { O_RDWR, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants
  const file = await open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600)
  if ((await file.stat()).isFile()) return file
  await file.close()
  throw new Failure('LEDGER_UNUSABLE', `cannot open the run lock ${path}: it is not a regular file`)
}

async function ownerIn(file: FileHandle): Promise<RunOwner | null> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(ownerBytesMax), 0, ownerBytesMax, 0)
  return readOwner(buffer.toString('utf8', 0, bytesRead))
}

/** To be asked only with the kernel's lock, which works across all containers of this kernel. */
const isLeftBehind = (owner: RunOwner): boolean =>
  isSurelyGone(owner) || (owner.locked && owner.bootId !== '' && owner.bootId === bootId())

type KernelLockResult = 'granted' | 'refused' | 'unknown'

/** `unknown` if the file system has no such locks: then only the folder counts. */
function lockByKernel(file: FileHandle): KernelLockResult {
  try {
    return tryLock(file.fd, 'write', { start: 0, length: 1 })
  } catch (error) {
    if (error instanceof Failure || (error instanceof Error && 'errno' in error)) return 'unknown'
    throw error
  }
}

async function removeAbandonedFolder(folder: string): Promise<void> {
  try {
    await rmdir(folder)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
}

/**
 * Corrects a folder with a time in the future, because a clock was wrong: it would not be stale for years. It is stale
 * 60 s from now.
 */
async function correctFutureTime(folder: string): Promise<void> {
  try {
    const { mtimeMs } = await lstat(folder)
    if (ageOf(mtimeMs, Date.now()) === null) await utimes(folder, new Date(), new Date())
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
}

async function lockByFolder(
  name: string,
  owner: RunOwner | null,
  kernel: KernelLockResult,
  compromised: AbortController,
): Promise<() => Promise<void>> {
  try {
    return await lockfile.lock(name, {
      realpath: false,
      stale: staleMs,
      update: updateMs,
      retries: 0,
      onCompromised: (error) =>
        compromised.abort(
          new Failure('RUN_ACTIVE', `the run lock ${name}.lock was lost: ${error.message}`, { cause: error }),
        ),
    })
  } catch (error) {
    if (codeOf(error) !== 'ELOCKED') throw error
    throw active(owner, error, kernel === 'granted' ? endsByItself : hintFor(owner))
  }
}

const active = (owner: RunOwner | null, cause: unknown = null, hint = hintFor(owner)): Failure =>
  new Failure('RUN_ACTIVE', `another run works on this service${inWords(owner)}`, { cause, hint })

const inWords = (owner: RunOwner | null): string => (owner === null ? '' : `: ${describeOwner(owner)}`)

/** The process, since when it works, and its command line. */
export function describeOwner({ pid, run, since, command }: RunOwner): string {
  const named = run === null ? '' : `, run ${run}`
  // The file may have any number here.
  const time = Math.abs(since) <= 8.64e15 ? new Date(since).toISOString() : 'no time at all'
  return `pid ${pid}${named}, since ${time}${command === null ? '' : `, \`${command}\``}`
}

const endsByItself = `if no other run is there, the lock ends by itself within ${staleMs / 1000} s`

const hintFor = (owner: RunOwner | null): string =>
  owner === null || isSurelyGone(owner)
    ? endsByItself
    : 'wait for that run to end, or let --wait 10m do it; `holdfast history` shows what it has checked so far'

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : String(error)
