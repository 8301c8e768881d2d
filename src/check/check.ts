/**
 * The check: reads snapshots in child processes and brings back facts. Damage, crashes, hangs and unread pages are
 * values of the reading. Only a wrong call, an abort or a failure of our own is thrown.
 */
import PQueue from 'p-queue'
import { makeFolders } from '../host/folders/folder.ts'
import type { SnapshotPath } from '../model/brand.ts'
import type { KeptFiles } from '../model/kept-file.ts'
import type { Comparison, SidePair } from '../model/result/comparison.ts'
import type { CheckDepth, Engine, Reading } from '../model/result/reading.ts'
import type { SampleRequest } from '../model/result/sample.ts'
import { usualRowsEachPass } from './compare/compare-rows.ts'
import {
  compareSnapshots,
  contentOnly,
  type CheckedSnapshot,
  type CompareOptions,
} from './compare/compare-snapshots.ts'
import { confinedUser } from './confinement.ts'
import type { User } from './confinement.ts'
import { isUnanswered } from './protocol.ts'
import type { DigestRequest, MissingAnswer, Reader } from './protocol.ts'
import type { ReadingProgress } from './reading-builder.ts'
import type { RuleAnswer } from './step-answers.ts'
import { CheckWorker, type WorkerLimits } from './worker.ts'

export type CheckLimits = WorkerLimits

export interface CheckOptions {
  /**
   * What the snapshot consists of; other files are not read. It is updated when recovery changes the files. Without it
   * the snapshot is what is there.
   */
  readonly kept?: KeptFiles
  readonly depth: CheckDepth
  /** Which part is read at depth `sample`. */
  readonly sample?: SampleRequest
  /** What compares rows with index entries. Default: the engine of the checker. */
  readonly engine?: Engine
  /** Brings a map of the pages as well. Default: false. */
  readonly map?: boolean
  /**
   * Digests the pages, and compares them with earlier digests. Only with a full census: other checks read rows and
   * entries less closely. Default: nothing is digested.
   */
  readonly digesting?: DigestRequest
  /** If something is found, reads the file a second time without its WAL or journal. Default: true. */
  readonly suspectCompanions?: boolean
  readonly signal: AbortSignal
  readonly onProgress?: (progress: ReadingProgress) => void
}

export interface Checker extends AsyncDisposable {
  /**
   * Waits until the first child is confined. Call it before a tenant is paused: if nothing can read its snapshot, the
   * pause is in vain. @throws {Failure} CANNOT_CONFINE
   */
  ready(): Promise<void>
  /**
   * Reads a snapshot: its main file, with `-wal` and `-journal` beside it. It must be a private copy: SQLite rolls a
   * journal back and writes a WAL into it. One plain file is left, unless recovery failed. Waits for its turn.
   * @throws signal.reason if it was aborted; the files are then back in their place too
   * @throws {Failure} CANNOT_CONFINE; READ_FAILED if the files are not `kept`
   */
  check(snapshot: SnapshotPath, options: CheckOptions): Promise<Reading>
  /**
   * Asks rules of the application about a snapshot that was checked: one plain file. Waits for its turn.
   * @returns an answer for each rule, in their order
   * @throws {Failure} READ_FAILED if the file is not `kept`, CANNOT_CONFINE; signal.reason if it was aborted
   */
  askRules(
    snapshot: Pick<CheckedSnapshot, 'path' | 'kept'>,
    rules: readonly AskedRule[],
    signal: AbortSignal,
  ): Promise<readonly RuleAnswer[]>
  /**
   * Lets `work` ask a child of its own about a snapshot that was checked. Waits for its turn.
   * @throws {Failure} READ_FAILED if the files are not `kept`; signal.reason if it was aborted; what `work` throws
   */
  withReader<Value>(
    snapshot: Pick<CheckedSnapshot, 'path' | 'kept'>,
    signal: AbortSignal,
    work: (reader: Reader) => Promise<Value>,
  ): Promise<Value>
  /**
   * Compares two snapshots that were checked. Each is read by a child of its own in a sandbox of its own. A hostile
   * file spoils only the report on itself, and does not see the other. Waits for its turn.
   * @throws {Failure} READ_FAILED if the files of one are not `kept`; signal.reason if it was aborted
   */
  compare(snapshots: SidePair<CheckedSnapshot>, signal: AbortSignal, options?: CompareOptions): Promise<Comparison>
}

export interface CheckerOptions extends CheckLimits {
  /** For sandboxes: a folder of ours, on the file system of the snapshots. Usually the snapshot folder itself. */
  readonly folder: string
  /** Snapshots that are read at the same time, each in a child of its own. A large one also gets the idle children. */
  readonly parallel: number
  /** What compares rows with index entries. */
  readonly engine: Engine
  /** True if findings show what index entries hold beside keys. Default: false. */
  readonly showValues?: boolean
}

/** A rule of the application: one SELECT. */
interface AskedRule {
  readonly sql: string
  readonly timeoutMs: number
}

/** A child that dies over a rule is replaced for the next one. */
async function askRules(reader: Reader, rules: readonly AskedRule[]): Promise<readonly RuleAnswer[]> {
  const answers: RuleAnswer[] = []
  for (const { sql, timeoutMs } of rules) {
    const answer = await reader.ask<'rule'>({ step: 'rule', sql }, timeoutMs)
    answers.push(
      isUnanswered<'rule'>(answer) ? { kind: 'unjudged', why: whyUnanswered(answer, timeoutMs) } : answer.said,
    )
  }
  return answers
}

const whyUnanswered = ({ how, detail }: MissingAnswer, timeoutMs: number): string =>
  how === 'timeout'
    ? `it took longer than ${timeoutMs} ms`
    : how === 'failed'
      ? detail
      : `the process that asked it ended: ${detail}`

const noDigests: DigestRequest = { kind: 'none' }

/**
 * Starts one child immediately; the others start with the first snapshots that have none. If we are root, each is
 * confined to its sandbox as another user.
 * @throws {Failure} CANNOT_CONFINE
 */
export async function openChecker(options: CheckerOptions): Promise<Checker> {
  const user = confinedUser()
  await makeFolders(options.folder, 0o700)
  const checker = new WorkerPool(options, user)
  await checker.begin()
  return checker
}

class WorkerPool implements Checker {
  readonly #options: CheckerOptions
  readonly #user: User | null
  readonly #workers: CheckWorker[]
  readonly #idle: CheckWorker[]
  /** It has no signal: it would reject while the files are still in a sandbox. */
  readonly #queue: PQueue
  readonly #closing = new AbortController()

  constructor(options: CheckerOptions, user: User | null) {
    this.#options = options
    this.#user = user
    this.#workers = Array.from({ length: options.parallel }, () => this.#newWorker())
    this.#idle = [...this.#workers]
    this.#queue = new PQueue({ concurrency: options.parallel })
  }

  async begin(): Promise<void> {
    await this.#idle.at(-1)?.begin()
  }

  async ready(): Promise<void> {
    await this.#idle.at(-1)?.ready()
  }

  check(snapshot: SnapshotPath, asked: CheckOptions): Promise<Reading> {
    const { showValues, parallel } = this.#options
    const engine = asked.engine ?? this.#options.engine
    return this.#queue.add(async () => {
      const worker = this.#takeWorker()
      try {
        return await worker.read(snapshot, {
          kept: asked.kept ?? null,
          depth: asked.depth,
          engine,
          sample: asked.sample ?? null,
          map: asked.map ?? false,
          digesting: asked.depth === 'full' && engine === 'census' ? (asked.digesting ?? noDigests) : noDigests,
          showValues: showValues ?? false,
          suspectCompanions: asked.suspectCompanions ?? true,
          helpersMax: Math.max(0, parallel - this.#queue.pending),
          onProgress: asked.onProgress ?? (() => {}),
          signal: this.#either(asked.signal),
        })
      } finally {
        this.#idle.push(worker)
      }
    })
  }

  askRules(
    snapshot: Pick<CheckedSnapshot, 'path' | 'kept'>,
    rules: readonly AskedRule[],
    signal: AbortSignal,
  ): Promise<readonly RuleAnswer[]> {
    return this.#queue.add(async () => {
      const worker = this.#takeWorker()
      try {
        return await worker.withReader(snapshot, this.#either(signal), (reader) => askRules(reader, rules), 'keep')
      } finally {
        this.#idle.push(worker)
      }
    })
  }

  withReader<Value>(
    snapshot: Pick<CheckedSnapshot, 'path' | 'kept'>,
    signal: AbortSignal,
    work: (reader: Reader) => Promise<Value>,
  ): Promise<Value> {
    return this.#queue.add(async () => {
      const worker = this.#takeWorker()
      try {
        return await worker.withReader(snapshot, this.#either(signal), work)
      } finally {
        this.#idle.push(worker)
      }
    })
  }

  compare(snapshots: SidePair<CheckedSnapshot>, signal: AbortSignal, options = contentOnly): Promise<Comparison> {
    const { a, b } = snapshots
    const { timeoutMs, memoryBytesMax } = this.#options
    return this.#queue.add(async () => {
      const [workerA, workerB] = [this.#takeWorker(), this.#takeWorker()]
      const either = this.#either(signal)
      const limits = { timeoutMs, memoryBytesMax: Math.floor(memoryBytesMax / 2), rowsEachPass: usualRowsEachPass }
      try {
        return await workerA.withReader(a, either, (readerA) =>
          workerB.withReader(b, either, (readerB) =>
            compareSnapshots({ a: readerA, b: readerB }, snapshots, limits, options),
          ),
        )
      } finally {
        this.#idle.push(workerA, workerB)
      }
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error('the checker was closed'))
    await this.#queue.onIdle()
    await Promise.all(this.#workers.map((worker) => worker[Symbol.asyncDispose]()))
  }

  #newWorker(): CheckWorker {
    return new CheckWorker(this.#options.folder, this.#user, this.#options)
  }

  /** A comparison takes two workers, where there may be one. */
  #takeWorker(): CheckWorker {
    const idle = this.#idle.pop()
    if (idle !== undefined) return idle
    const another = this.#newWorker()
    this.#workers.push(another)
    return another
  }

  #either(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([signal, this.#closing.signal])
  }
}
