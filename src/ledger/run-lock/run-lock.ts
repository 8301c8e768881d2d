/**
 * One run per service (operations.md, "Run mutex"). This is the polite lock: two runs that both believed to have it
 * must still be harmless, because the seal refuses the second. Two locks stand for it, taken in this order:
 *
 * 1. the kernel's, on the file `run-SERVICE.json`: it ends with the process that holds it, however that ends;
 * 2. proper-lockfile's folder `run-SERVICE.lock`: it holds where the kernel's does not reach, and is stale after 60 s.
 *
 * A crash at night must not cost the next run a minute. So a folder that was left behind is removed at once when the
 * kernel's lock is free *and* whoever wrote the file is surely gone: it is no process of this machine any more, or it
 * had the kernel's lock on this machine since its last start, perhaps in a container that is gone. Whoever is refused
 * the kernel's lock does not try the folder: taken without it, the folder would look left behind to the next one who
 * gets it, until it was signed. In any doubt the 60 s are waited for.
 */

import { constants } from 'node:fs'
import { lstat, open, rmdir, utimes, type FileHandle } from 'node:fs/promises'
import lockfile from 'proper-lockfile'
import { bootId } from '../../host/boot.ts'
import { systemFailure } from '../../host/failures/system-failure.ts'
import { tryLock } from '../../host/locks/byte-lock.ts'
import { ageOf } from '../../model/age.ts'
import type { RunId } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import { lockFile, ofLedger, prepareFolder } from '../folder.ts'
import { isSurelyGone, ourselves, ownerBytesMax, readOwner } from './run-owner.ts'
import type { RunOwner } from './run-owner.ts'

export interface RunLock extends AsyncDisposable {
  /** Aborted when the lock was lost: take no new tenants, resume, end with exit code 75. */
  readonly compromised: AbortSignal
}

const staleMs = 60_000
const updateMs = 10_000

/**
 * `service` is its name in the configuration.
 * @throws {Failure} RUN_ACTIVE, naming the other run, or LEDGER_UNUSABLE
 */
export async function takeRunLock(dir: string, service: string, run: RunId | null = null): Promise<RunLock> {
  await prepareFolder(dir)
  const name = lockFile(dir, service)
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
    // Who has it may not have signed yet: then the file names one who is gone.
    if (kernel === 'refused') throw active(owner !== null && isSurelyGone(owner) ? null : owner)
    if (kernel === 'granted' && owner !== null && isLeftBehind(owner)) await removeLeftover(`${name}.lock`)
    if (kernel === 'granted') await bringBack(`${name}.lock`)
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
    const text = Buffer.from(`${JSON.stringify(ourselves(run, locked))}\n`)
    await this.#file.write(text, 0, text.length, 0)
    await this.#file.truncate(text.length)
  }

  /** The folder first: while it goes, the kernel's lock still keeps others from taking it for a leftover. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#released) return
    this.#released = true
    try {
      // A lock that was lost belongs to somebody else by now.
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

/** Only for who was granted the kernel's lock, which reaches through all containers of this kernel. */
const isLeftBehind = (owner: RunOwner): boolean =>
  isSurelyGone(owner) || (owner.locked && owner.bootId !== '' && owner.bootId === bootId())

type KernelLock = 'granted' | 'refused' | 'unknown'

/** `unknown` where there are no such locks: then only the folder counts. */
function lockByKernel(file: FileHandle): KernelLock {
  try {
    return tryLock(file.fd, 'write', { start: 0, length: 1 })
  } catch (error) {
    if (error instanceof Failure || (error instanceof Error && 'errno' in error)) return 'unknown'
    throw error
  }
}

async function removeLeftover(folder: string): Promise<void> {
  try {
    await rmdir(folder)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
}

/**
 * A folder whose time lies ahead, because a clock was wrong, would not be stale for years: it is as old as can be from
 * now on.
 */
async function bringBack(folder: string): Promise<void> {
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
  kernel: KernelLock,
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

/** Who it is, since when, and what it was told to do. */
export function describeOwner({ pid, run, since, command }: RunOwner): string {
  const named = run === null ? '' : `, run ${run}`
  // Anything may stand there.
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
