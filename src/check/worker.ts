/**
 * A worker reads one snapshot at a time: it has a sandbox, and a reader in it. For a large snapshot it starts more
 * readers in the same sandbox, and ends them afterwards.
 */
import { statSync } from 'node:fs'
import { otherDisk } from '../hold/snapshot/draft.ts'
import { isSystemError, systemFailure } from '../host/failures/system-failure.ts'
import type { SnapshotPath } from '../model/brand.ts'
import { Failure } from '../model/failure.ts'
import type { KeptFiles } from '../model/kept-file.ts'
import type { Fact, Reading } from '../model/result/reading.ts'
import type { CheckedSnapshot } from './compare/compare-snapshots.ts'
import type { ChildLimits } from './confined-child.ts'
import type { User } from './confinement.ts'
import { fileBytesFor } from './file-size-limit.ts'
import type { QuestionOf, Reader, ReaderStep } from './protocol.ts'
import { readSnapshot } from './read-snapshot.ts'
import type { ReaderSet } from './read-snapshot.ts'
import { isWorthReadingWithout, readWithout } from './read-without.ts'
import type { ReaderProcess } from './reader-process.ts'
import type { ReadingLimits } from './reading-builder.ts'
import { ReplaceableReader } from './replaceable-reader.ts'
import { Sandbox } from './sandbox.ts'

/** After so many snapshots a process is replaced: otherwise it would keep whatever SQLite or Node leak. */
const snapshotsMax = 1_000
/** From this size on more readers are worth their start, which takes about as long as reading so many bytes. */
const sharedFromBytes = 48_000_000

export interface WorkerLimits extends ChildLimits {
  /** For one snapshot. */
  readonly timeoutMs: number
}

interface WorkerOptions extends Omit<ReadingLimits, 'timeoutMs' | 'memoryBytesMax'> {
  /** What the snapshot consists of; null for the files that are there. */
  readonly kept: KeptFiles | null
  /** How many readers may count pages beside the first two, if the snapshot is large. */
  readonly helpersMax: number
  /** If something is found, reads the file a second time without its WAL or journal. */
  readonly suspectCompanions: boolean
  readonly signal: AbortSignal
}

interface PreparedReader {
  readonly sandbox: Sandbox
  readonly reader: ReplaceableReader
}

export class CheckWorker implements AsyncDisposable {
  readonly #folder: string
  readonly #user: User | null
  readonly #limits: WorkerLimits
  #sandbox: Sandbox | null = null
  #reader: ReplaceableReader | null = null

  /** @param folder for sandboxes, on the file system of the snapshots @param user to run readers as; null for ours */
  constructor(folder: string, user: User | null, limits: WorkerLimits) {
    this.#folder = folder
    this.#user = user
    this.#limits = limits
  }

  /** Starts the reader before there is a snapshot. If that fails, `ready` and `read` throw. */
  async begin(): Promise<void> {
    await this.#prepare().then(
      ({ reader }) => reader.begin(),
      () => undefined,
    )
  }

  /** Waits until the reader is confined. @throws {Failure} CANNOT_CONFINE, which is permanent; `read` throws others */
  async ready(): Promise<void> {
    try {
      const { reader } = await this.#prepare()
      await reader.ready()
    } catch (error) {
      const failure = this.#failureOf(error)
      if (!(failure instanceof Failure) || failure.code === 'CANNOT_CONFINE') throw failure
    }
  }

  /**
   * @throws {Failure} CANNOT_CONFINE, READ_FAILED, NO_SPACE and others: the snapshot could not be read, which says
   * nothing about its content
   */
  read(snapshot: SnapshotPath, options: WorkerOptions): Promise<Reading> {
    return this.#read(snapshot, options).catch((error: unknown) => {
      throw this.#failureOf(error)
    })
  }

  async #read(snapshot: SnapshotPath, options: WorkerOptions): Promise<Reading> {
    const { signal } = options
    signal.throwIfAborted()
    const { sandbox, reader } = await this.#prepare()
    const bytes = statSync(snapshot, { throwIfNoEntry: false })?.size ?? 0
    const others = Array.from(
      { length: otherReaders(bytes, options) },
      () => new ReplaceableReader(sandbox.folder, this.#user, this.#limits),
    )
    const all = [reader, ...others]
    // On an abort the processes are killed immediately. Nothing else takes long.
    const stop = (): void => all.forEach((one) => one.kill())
    signal.addEventListener('abort', stop)
    try {
      // All start in parallel (check/README.md, measured).
      for (const other of others) other.begin()
      for (const one of all) one.limitFileSize(fileBytesFor(snapshot))
      const process = await reader.readyForSnapshot()
      process.snapshots++
      await sandbox.link(snapshot, options.kept)
      const reading = await this.#readOnceOrTwice(all, readersOf(process, reader, others, signal), options)
      // A process that met damage or died may be what the file has made of it.
      if (reading.facts.length > 0 || !reading.complete || process.snapshots >= snapshotsMax) await reader.end()
      return reading
    } catch (error) {
      await reader.end()
      throw error
    } finally {
      signal.removeEventListener('abort', stop)
      await Promise.all(others.map((other) => other.end()))
      await this.#clear(sandbox, reader)
    }
  }

  /** Reads the snapshot, and if damage may come from its WAL or journal a second time without them. */
  async #readOnceOrTwice(
    all: readonly ReplaceableReader[],
    readers: ReaderSet,
    options: WorkerOptions,
  ): Promise<Reading> {
    const { signal } = options
    const { timeoutMs, memoryBytesMax } = this.#limits
    const limits: ReadingLimits = { ...options, timeoutMs, memoryBytesMax }
    const first = await this.#readFirst(all, readers, limits)
    signal.throwIfAborted()
    const second = options.suspectCompanions && isWorthReadingWithout(first)
    // The next question then starts a fresh process.
    if (second) await Promise.all(all.map((one) => one.end()))
    const reading = second ? await readWithout(readers, limits, first) : first
    signal.throwIfAborted()
    return reading
  }

  /**
   * A process that was killed from outside, for example by the kernel's memory killer, says nothing about the file: the
   * file is read again, once. Not if recovery had begun: then the file is no longer what it was.
   */
  async #readFirst(all: readonly ReplaceableReader[], readers: ReaderSet, limits: ReadingLimits): Promise<Reading> {
    const reading = await readSnapshot(readers, limits)
    if (reading.recovered !== null || !reading.facts.some(isKilled)) return reading
    await Promise.all(all.map((one) => one.end()))
    return readSnapshot(readers, limits)
  }

  /**
   * Links a snapshot into the sandbox as long as `work` asks about it.
   * @param afterwards `keep`: its reader reads the next snapshot too, unless `work` throws
   */
  withReader<Value>(
    snapshot: LinkedSnapshot,
    signal: AbortSignal,
    work: (reader: Reader) => Promise<Value>,
    afterwards: 'end' | 'keep' = 'end',
  ): Promise<Value> {
    return this.#withReader(snapshot, signal, work, afterwards).catch((error: unknown) => {
      throw this.#failureOf(error)
    })
  }

  async #withReader<Value>(
    { path, kept }: LinkedSnapshot,
    signal: AbortSignal,
    work: (reader: Reader) => Promise<Value>,
    afterwards: 'end' | 'keep',
  ): Promise<Value> {
    signal.throwIfAborted()
    const { sandbox, reader } = await this.#prepare()
    const stop = (): void => reader.kill()
    let done = false
    signal.addEventListener('abort', stop)
    try {
      await reader.readyForSnapshot().catch(() => undefined) // If it cannot start, the first question throws.
      reader.limitFileSize(fileBytesFor(path))
      await sandbox.link(path, kept ?? null)
      const value = await work(stoppable(reader, signal))
      done = true
      return value
    } finally {
      signal.removeEventListener('abort', stop)
      if (!done || afterwards === 'end') await reader.end()
      await this.#clear(sandbox, reader)
    }
  }

  /** Gives up a sandbox that cannot be cleared; what was read stays valid. The folder of the run is deleted later. */
  async #clear(sandbox: Sandbox, reader: ReplaceableReader): Promise<void> {
    try {
      await sandbox.clear(() => reader.end())
    } catch (error) {
      if (!isSystemError(error)) throw error
      await reader.end()
      this.#reader = null
      this.#sandbox = null
      sandbox.abandon()
    }
  }

  /** `concerns: machine`, because all tenants share the folder. */
  #failureOf(error: unknown, doing = 'let a process read a snapshot in'): unknown {
    return systemFailure(error, { doing, path: this.#folder, elsewhere: otherDisk, concerns: 'machine' })
  }

  async #prepare(): Promise<PreparedReader> {
    this.#sandbox ??= await Sandbox.open(this.#folder, this.#user).catch((error: unknown) => {
      throw this.#failureOf(error, 'make a folder for a process that reads, in')
    })
    const sandbox = this.#sandbox
    this.#reader ??= new ReplaceableReader(sandbox.folder, this.#user, this.#limits)
    return { sandbox, reader: this.#reader }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader?.end()
    this.#reader = null
    const sandbox = this.#sandbox
    this.#sandbox = null
    try {
      await sandbox?.[Symbol.asyncDispose]()
    } catch (error) {
      if (!isSystemError(error)) throw error
      sandbox?.abandon() // It is deleted with the folder of the run, whose end reports what prevents that.
    }
  }
}

type LinkedSnapshot = Pick<CheckedSnapshot, 'path' | 'kept'>

const isKilled = (fact: Fact): boolean => fact.kind === 'child-ended' && fact.how === 'killed'

/** One for SQLite's own check; the others count pages. */
function otherReaders(bytes: number, { depth, engine, helpersMax }: WorkerOptions): number {
  return depth === 'full' && engine === 'census' && bytes >= sharedFromBytes ? 1 + helpersMax : 0
}

const stoppable = (reader: ReplaceableReader, signal: AbortSignal): Reader => ({
  ask: <S extends ReaderStep>(question: QuestionOf<S>, timeoutMs: number) => reader.ask<S>(question, timeoutMs, signal),
})

function readersOf(
  { sqliteVersion, walls }: ReaderProcess,
  first: ReplaceableReader,
  others: readonly ReplaceableReader[],
  signal: AbortSignal,
): ReaderSet {
  const pages = stoppable(first, signal)
  const [sqlite, ...helpers] = others.map((reader) => stoppable(reader, signal))
  return { sqliteVersion, walls, pages, sqlite: sqlite ?? pages, helpers }
}
