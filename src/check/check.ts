/**
 * The check: reads snapshots in child processes and brings back facts. Damage, crashes, hangs and unread pages are
 * values of the reading; only a wrong call, an abort or trouble of our own is thrown.
 */
import PQueue from 'p-queue'
import { makeFolder } from '../host/folders/folder.ts'
import type { SnapshotPath } from '../model/brand.ts'
import type { KeptFiles } from '../model/kept.ts'
import type { Comparison, Sided } from '../model/result/comparison.ts'
import type { Engine, Reading } from '../model/result/reading.ts'
import { usualRowsEachPass } from './compare/compare-rows.ts'
import { compareSnapshots, type CheckedSnapshot } from './compare/compare-snapshots.ts'
import { confinedUser } from './confinement.ts'
import type { Digesting } from './protocol.ts'
import type { ReadingProgress } from './reading-builder.ts'
import { CheckWorker } from './worker.ts'

export interface CheckLimits {
  /** For one snapshot. */
  readonly timeoutMs: number
  /** For each child. */
  readonly memoryBytesMax: number
  /** 0 to 19. */
  readonly niceness: number
}

export interface CheckOptions {
  /** What the snapshot consists of, kept up to date: anything else is not read. Left out, it is whatever lies there. */
  readonly kept?: KeptFiles
  readonly depth: 'quick' | 'full'
  /** Brings a map of the pages as well; without it, none is made. */
  readonly map?: boolean
  /**
   * Digests the pages, and compares them with earlier ones. A full census only: others read rows and entries less
   * closely. Left out, nothing is digested.
   */
  readonly digesting?: Digesting
  /** Where something is found, reads the file a second time without its WAL or journal. Left out: yes. */
  readonly suspectCompanions?: boolean
  readonly signal: AbortSignal
  readonly onProgress?: (progress: ReadingProgress) => void
}

export interface Checker extends AsyncDisposable {
  /**
   * Waits for the first child: before anybody stands still for what nobody could read. @throws {Failure}
   * CANNOT_CONFINE
   */
  ready(): Promise<void>
  /**
   * Reads a snapshot: its main file, with `-wal` and `-journal` beside it. It must be a private copy: SQLite rolls a
   * journal back and writes a WAL back into it, so that afterwards one plain file is left (unless that failed). Waits
   * for its turn.
   * @throws signal.reason when it was aborted; then the files are back in their place as well
   * @throws {Failure} CANNOT_CONFINE; READ_FAILED when it is not what was kept
   */
  check(snapshot: SnapshotPath, options: CheckOptions): Promise<Reading>
  /**
   * Compares two snapshots that were checked. Each is read by a child of its own in a room of its own: a hostile file
   * may cost no more than what is said of it, and sees nothing of the other. Waits for its turn.
   * @throws {Failure} READ_FAILED when one is not what was kept; signal.reason when it was aborted
   */
  compare(snapshots: Sided<CheckedSnapshot>, signal: AbortSignal): Promise<Comparison>
}

export interface CheckerOptions extends CheckLimits {
  /**
   * Where rooms are made: a folder of ours, on the file system of the snapshots; normally the snapshot folder itself.
   */
  readonly folder: string
  /**
   * Snapshots that are read at the same time, each in a child of its own; a large one alone gets the time of those that
   * are idle.
   */
  readonly parallel: number
  /** What compares rows with index entries. */
  readonly engine: Engine
  /** Whether findings tell what index entries hold beside keys: only where somebody asked for it. Left out: no. */
  readonly showValues?: boolean
}

const noDigests: Digesting = { kind: 'none' }

/**
 * One child starts at once, the others with the first snapshots for which there is none; as root each is locked into
 * its room under another user.
 * @throws {Failure} CANNOT_CONFINE
 */
export async function openChecker(options: CheckerOptions): Promise<Checker> {
  const user = confinedUser()
  await makeFolder(options.folder, 0o700)
  const places = Array.from({ length: options.parallel }, () => new CheckWorker(options.folder, user, options))
  const idle = [...places]
  await idle.at(-1)?.begin()
  // The queue is not told of the signal: it would reject while the files still are in a room.
  const queue = new PQueue({ concurrency: options.parallel })
  const closing = new AbortController()
  /** Who compares needs two places, where there may be one. */
  const anotherPlace = (): CheckWorker => {
    const place = new CheckWorker(options.folder, user, options)
    places.push(place)
    return place
  }
  const enter = (): CheckWorker => idle.pop() ?? anotherPlace()
  return {
    ready: async () => idle.at(-1)?.ready(),
    check: (snapshot, { kept, depth, map, digesting, suspectCompanions, signal, onProgress }) =>
      queue.add(async () => {
        const place = enter()
        try {
          return await place.read(snapshot, {
            kept: kept ?? null,
            depth,
            engine: options.engine,
            map: map ?? false,
            digesting: depth === 'full' && options.engine === 'census' ? (digesting ?? noDigests) : noDigests,
            showValues: options.showValues ?? false,
            suspectCompanions: suspectCompanions ?? true,
            helpersMax: Math.max(0, options.parallel - queue.pending),
            onProgress: onProgress ?? (() => {}),
            signal: AbortSignal.any([signal, closing.signal]),
          })
        } finally {
          idle.push(place)
        }
      }),
    compare: ({ a, b }, signal) =>
      queue.add(async () => {
        const [placeA, placeB] = [enter(), enter()]
        const either = AbortSignal.any([signal, closing.signal])
        const limits = {
          timeoutMs: options.timeoutMs,
          memoryBytesMax: Math.floor(options.memoryBytesMax / 2),
          rowsEachPass: usualRowsEachPass,
        }
        try {
          return await placeA.visit(a, either, (askingA) =>
            placeB.visit(b, either, (askingB) => compareSnapshots({ a: askingA, b: askingB }, { a, b }, limits)),
          )
        } finally {
          idle.push(placeA, placeB)
        }
      }),
    async [Symbol.asyncDispose]() {
      closing.abort(new Error('the checker was closed'))
      await queue.onIdle()
      await Promise.all(places.map((place) => place[Symbol.asyncDispose]()))
    },
  }
}
