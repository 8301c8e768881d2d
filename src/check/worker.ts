/**
 * A place where one snapshot at a time is read: a room, and a child in it. Large snapshots get more children in the
 * same room for as long as they are read.
 */
import { statSync } from 'node:fs'
import { otherDisk } from '../hold/snapshot/draft.ts'
import { isSystemError, systemFailure } from '../host/failures/system-failure.ts'
import type { SnapshotPath } from '../model/brand.ts'
import { Failure } from '../model/failure.ts'
import type { KeptFiles } from '../model/kept.ts'
import type { Engine, Fact, Reading } from '../model/result/reading.ts'
import type { CheckedSnapshot } from './compare/compare-snapshots.ts'
import type { User } from './confinement.ts'
import { fileBytesFor } from './file-size-limit.ts'
import type { Digesting, QuestionOf, ReaderStep } from './protocol.ts'
import { readSnapshot } from './read-snapshot.ts'
import type { ReaderSet } from './read-snapshot.ts'
import { isWorthReadingWithout, readWithout } from './read-without.ts'
import type { ReaderProcess } from './reader-process.ts'
import type { Reader, ReadingProgress, ReadingLimits } from './reading-builder.ts'
import { ReplaceableReader } from './replaceable-reader.ts'
import { Sandbox } from './sandbox.ts'

/** A child that goes on for ever would keep whatever SQLite or Node leak. */
const snapshotsMax = 1_000
/** Bytes from which on more children are worth their start, which takes about as long as reading this. */
const sharedFromBytes = 48_000_000

export interface WorkerLimits {
  readonly timeoutMs: number
  readonly memoryBytesMax: number
  readonly niceness: number
}

export interface WorkerOptions {
  /** What the snapshot consists of; null for whatever lies there. */
  readonly kept: KeptFiles | null
  readonly depth: 'quick' | 'full'
  readonly engine: Engine
  readonly map: boolean
  /** How many children may scan pages beside the first one, where the snapshot is large. */
  readonly helpersMax: number
  readonly digesting: Digesting
  readonly showValues: boolean
  readonly suspectCompanions: boolean
  readonly signal: AbortSignal
  readonly onProgress: (progress: ReadingProgress) => void
}

export class CheckWorker implements AsyncDisposable {
  readonly #folder: string
  readonly #user: User | null
  readonly #limits: WorkerLimits
  #room: Sandbox | null = null
  #seat: ReplaceableReader | null = null

  constructor(folder: string, user: User | null, limits: WorkerLimits) {
    this.#folder = folder
    this.#user = user
    this.#limits = limits
  }

  /** Starts the child before there is anything to read. What goes wrong with it is told to who reads. */
  async begin(): Promise<void> {
    await this.#prepared().then(
      ({ seat }) => seat.begin(),
      () => undefined,
    )
  }

  /**
   * Waits until the child stands in its walls. @throws {Failure} CANNOT_CONFINE, which does not pass; of any other
   * trouble is told who reads
   */
  async ready(): Promise<void> {
    try {
      const { seat } = await this.#prepared()
      await seat.ready()
    } catch (error) {
      const failure = this.#failureOf(error)
      if (!(failure instanceof Failure) || failure.code === 'CANNOT_CONFINE') throw failure
    }
  }

  /**
   * @throws {Failure} CANNOT_CONFINE, READ_FAILED, NO_SPACE and the like: it could not be read, which says nothing of
   * it
   */
  read(snapshot: SnapshotPath, options: WorkerOptions): Promise<Reading> {
    return this.#read(snapshot, options).catch((error: unknown) => {
      throw this.#failureOf(error)
    })
  }

  async #read(snapshot: SnapshotPath, options: WorkerOptions): Promise<Reading> {
    const { signal } = options
    signal.throwIfAborted()
    const { room, seat } = await this.#prepared()
    const bytes = statSync(snapshot, { throwIfNoEntry: false })?.size ?? 0
    // All start side by side: one after the other, they took as long again as a tenth of a large file's check.
    const others = Array.from(
      { length: childrenBeside(bytes, options) },
      () => new ReplaceableReader(room.folder, this.#user, this.#limits),
    )
    // The children that read are killed at once; nothing else waits for long.
    const stop = (): void => [seat, ...others].forEach((one) => one.kill())
    signal.addEventListener('abort', stop)
    try {
      for (const other of others) other.begin()
      for (const one of [seat, ...others]) one.allow(fileBytesFor(snapshot))
      const child = await seat.alive()
      child.snapshots++
      await room.link(snapshot, options.kept)
      const readers = readersOf(child, seat, others, signal)
      const limits: ReadingLimits = {
        depth: options.depth,
        engine: options.engine,
        map: options.map,
        digesting: options.digesting,
        showValues: options.showValues,
        onProgress: options.onProgress,
        timeoutMs: this.#limits.timeoutMs,
        memoryBytesMax: this.#limits.memoryBytesMax,
      }
      const first = await this.#readFirst([seat, ...others], readers, limits)
      signal.throwIfAborted()
      const second = options.suspectCompanions && isWorthReadingWithout(first)
      // The next question begins a fresh child.
      if (second) await Promise.all([seat, ...others].map((one) => one.end()))
      const reading = second ? await readWithout(readers, limits, first) : first
      signal.throwIfAborted()
      // After anything but silence the child may be what the file made of it.
      if (reading.facts.length > 0 || !reading.complete || child.snapshots >= snapshotsMax) await seat.end()
      return reading
    } catch (error) {
      await seat.end()
      throw error
    } finally {
      signal.removeEventListener('abort', stop)
      await Promise.all(others.map((other) => other.end()))
      await this.#clear(room, seat)
    }
  }

  /**
   * A child that was killed from outside, as the kernel's memory killer does, says nothing of the file: it is read
   * again once. Not where recovery had begun: the file is no longer what it was.
   */
  async #readFirst(seats: readonly ReplaceableReader[], readers: ReaderSet, limits: ReadingLimits): Promise<Reading> {
    const reading = await readSnapshot(readers, limits)
    if (reading.recovered !== null || !reading.facts.some(isKilled)) return reading
    await Promise.all(seats.map((one) => one.end()))
    return readSnapshot(readers, limits)
  }

  /**
   * Lets a snapshot in for as long as `work` has questions about it. A child that dies over one is replaced, and knows
   * nothing of the others.
   */
  visit<Value>(snapshot: Visited, signal: AbortSignal, work: (asking: Reader) => Promise<Value>): Promise<Value> {
    return this.#visit(snapshot, signal, work).catch((error: unknown) => {
      throw this.#failureOf(error)
    })
  }

  async #visit<Value>(
    { path, kept }: Visited,
    signal: AbortSignal,
    work: (asking: Reader) => Promise<Value>,
  ): Promise<Value> {
    signal.throwIfAborted()
    const { room, seat } = await this.#prepared()
    const stop = (): void => seat.kill()
    signal.addEventListener('abort', stop)
    try {
      await seat.alive().catch(() => undefined) // What goes wrong with it is told to who asks.
      seat.allow(fileBytesFor(path))
      await room.link(path, kept ?? null)
      return await work(askingOf(seat, signal))
    } finally {
      signal.removeEventListener('abort', stop)
      await seat.end()
      await this.#clear(room, seat)
    }
  }

  /** What was read was read: a room that cannot be cleared is given up, and goes with the folder of the run. */
  async #clear(room: Sandbox, seat: ReplaceableReader): Promise<void> {
    try {
      await room.clear(() => seat.end())
    } catch (error) {
      if (!isSystemError(error)) throw error
      await seat.end()
      this.#seat = null
      this.#room = null
      room.abandon()
    }
  }

  /** All tenants share the folder. */
  #failureOf(error: unknown, doing = 'let a process read a snapshot in'): unknown {
    return systemFailure(error, { doing, path: this.#folder, elsewhere: otherDisk, concerns: 'machine' })
  }

  async #prepared(): Promise<{ readonly room: Sandbox; readonly seat: ReplaceableReader }> {
    this.#room ??= await Sandbox.open(this.#folder, this.#user).catch((error: unknown) => {
      throw this.#failureOf(error, 'make a folder for a process that reads, in')
    })
    const room = this.#room
    return { room, seat: (this.#seat ??= new ReplaceableReader(room.folder, this.#user, this.#limits)) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#seat?.end()
    this.#seat = null
    const room = this.#room
    this.#room = null
    try {
      await room?.[Symbol.asyncDispose]()
    } catch (error) {
      if (!isSystemError(error)) throw error
      room?.abandon() // It goes with the folder of the run, whose end says what is in the way.
    }
  }
}

type Visited = Pick<CheckedSnapshot, 'path' | 'kept'>

const isKilled = (fact: Fact): boolean => fact.kind === 'child-ended' && fact.how === 'killed'

/** One for SQLite's word, the others scan. */
function childrenBeside(bytes: number, { depth, engine, helpersMax }: WorkerOptions): number {
  return depth === 'full' && engine === 'census' && bytes >= sharedFromBytes ? 1 + helpersMax : 0
}

const askingOf = (seat: ReplaceableReader, signal: AbortSignal): Reader => ({
  ask: <S extends ReaderStep>(question: QuestionOf<S>, timeoutMs: number) => seat.ask<S>(question, timeoutMs, signal),
})

function readersOf(
  { sqliteVersion, walls }: ReaderProcess,
  first: ReplaceableReader,
  others: readonly ReplaceableReader[],
  signal: AbortSignal,
): ReaderSet {
  const pages = askingOf(first, signal)
  const [sqlite, ...helpers] = others.map((seat) => askingOf(seat, signal))
  return { sqliteVersion, walls, pages, sqlite: sqlite ?? pages, helpers }
}
