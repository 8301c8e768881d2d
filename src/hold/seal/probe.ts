/** The probe: a granted lock proves nothing until a second process was refused it (I1.2). */
import { addAbortListener } from 'node:events'
import PQueue from 'p-queue'
import { systemFailure } from '../../host/failures/system-failure.ts'
import { failureOfEnd } from '../../host/process/child-start.ts'
import { ChildEndError, startChild, type Child } from '../../host/process/child.ts'
import { programBeside } from '../../host/process/program-beside.ts'
import type { LivePath } from '../../model/brand.ts'
import { invariant } from '../../model/bug.ts'
import { Failure } from '../../model/failure.ts'
import type { ProbeAnswer } from '../../model/result/evidence.ts'
import type { LockSight, LockToSee } from './lock-sight.ts'

/** `ready`: answer as soon as everything is loaded that a lock would otherwise have to stand for. */
export type ProbeQuestion = 'ready' | LockToTry | LockToSee | PinsToTry

export interface LockToTry {
  readonly path: string
  /** `exclusive`: no program may read or write. `writer`: none may write. */
  readonly scope: 'exclusive' | 'writer'
  /** The database file that is locked: SQLite may be let at no other one. */
  readonly file: FileId
}

/** Looks for the locks of a pinned WAL, and asks SQLite for a checkpoint, which they must refuse. */
export interface PinsToTry {
  readonly path: string
  readonly pins: readonly LockToSee[]
  /** The database file that is pinned: SQLite may be let at no other one. Null: SQLite is not asked. */
  readonly checkpointOf: FileId | null
}

export interface PinsAnswer {
  /** One for each pin. */
  readonly sights: readonly LockSight[]
  /** `not-tried`: SQLite was not asked, or met something else before it came to the lock. */
  readonly checkpoint: 'refused' | 'granted' | 'not-tried'
}

/** Device and inode. */
export interface FileId {
  readonly dev: bigint
  readonly ino: bigint
}

export type ProbeReply = 'ready' | ProbeAnswer | LockSight | PinsAnswer

const answerMsMax = 5_000
const program = 'probe-child'

type ProbeChild = Child<ProbeQuestion, ProbeReply>

export class Probe implements AsyncDisposable {
  #child: Promise<ProbeChild>
  /** Tenants that stand still at the same time share the probe: it answers one question at a time. */
  readonly #questions = new PQueue({ concurrency: 1 })
  readonly #env: Readonly<Record<string, string>>
  #dead = false

  private constructor(env: Readonly<Record<string, string>>) {
    this.#env = env
    this.#child = this.#start()
  }

  /**
   * Starts the second process, which is kept for the run.
   * @param env added to its environment: a test makes its locks succeed whatever we hold
   */
  static start(env: Readonly<Record<string, string>> = {}): Probe {
    return new Probe(env)
  }

  /**
   * Resolves when it would answer immediately.
   * @throws {Failure} READ_FAILED if it does not answer
   */
  async ready(): Promise<void> {
    await this.#questions.add(() => this.#ask('ready'))
  }

  /**
   * Tries the lock on `path` from the second process.
   * @returns what was refused: everything that had to be
   * @param file what the path led to when it was locked
   * @param over aborts when the lock can no longer stand. The second process is then killed, so that it tries nothing
   * when the lock is released.
   * @throws the reason of `over`
   * @throws {Failure} LOCK_NOT_HONOURED if anything was granted; the run must stop. READ_FAILED or IN_USE if nothing
   * could be tried: the process died, the file could not be opened, or the path leads elsewhere.
   */
  async try(path: LivePath, scope: LockToTry['scope'], { dev, ino }: FileId, over: AbortSignal): Promise<ProbeAnswer> {
    const question: LockToTry = { path, scope, file: { dev, ino } }
    const answer = await this.#questions.add(() => this.#ask(question, over), { signal: over })
    invariant(typeof answer === 'object' && 'raw' in answer, 'the probe answers what it was asked')
    if (answer.raw === 'granted' || answer.read === 'granted' || answer.write === 'granted') {
      const what = answer.raw === 'granted' ? 'the same lock' : answer.read === 'granted' ? 'a read' : 'a write'
      throw new Failure(
        'LOCK_NOT_HONOURED',
        `our exclusive lock on ${path} stands, and yet a second process was granted ${what}`,
      )
    }
    return answer
  }

  /**
   * Has the second process look for a lock of ours that it cannot try. A program with the same rights as ours would get
   * it too, or would be in the way of others.
   * @returns `refused`: it saw the lock, which stands in its way. No SQLite was tried.
   * @throws {Failure} LOCK_NOT_HONOURED if it does not see the lock: the run must stop. LOCK_BUSY if another program's
   * lock hides it. READ_FAILED or IN_USE as `try`
   */
  async see(lock: LockToSee): Promise<ProbeAnswer> {
    const sight = await this.#questions.add(() => this.#ask(lock))
    const what = `our ${lock.kind} lock on ${lock.path}`
    if (sight === 'hidden')
      throw new Failure('LOCK_BUSY', `a second process could not see ${what} behind the lock of another program`)
    if (sight === 'not-seen')
      throw new Failure('LOCK_NOT_HONOURED', `${what} stands, and yet a second process does not see it`)
    invariant(sight === 'seen', 'the probe answers what it was asked')
    return { raw: 'refused', read: 'not-tried', write: 'not-tried' }
  }

  /**
   * Has the second process look for the locks of a pinned WAL, and then let SQLite try a PASSIVE checkpoint. The
   * connection may not write, so it does least if the locks lie. The connection is closed before the answer.
   * @param checkpointOf the database file; null: SQLite is not asked
   * @returns `hidden`: whether another program's lock hides one of ours
   * @throws {Failure} LOCK_NOT_HONOURED if a lock is not seen, or SQLite began the checkpoint: the run must stop.
   * READ_FAILED or IN_USE as `try`
   */
  async tryPins(
    path: LivePath,
    pins: readonly LockToSee[],
    checkpointOf: FileId | null,
  ): Promise<{ readonly checkpoint: 'refused' | 'not-tried'; readonly hidden: boolean }> {
    const file = checkpointOf === null ? null : { dev: checkpointOf.dev, ino: checkpointOf.ino }
    const answer = await this.#questions.add(() => this.#ask({ path, pins, checkpointOf: file }))
    invariant(typeof answer === 'object' && 'sights' in answer, 'the probe answers what it was asked')
    const { sights, checkpoint } = answer
    const unseen = pins[sights.indexOf('not-seen')]
    if (unseen !== undefined)
      throw new Failure(
        'LOCK_NOT_HONOURED',
        `our ${unseen.kind} lock on ${unseen.path} stands, and yet a second process does not see it`,
      )
    if (checkpoint === 'granted')
      throw new Failure(
        'LOCK_NOT_HONOURED',
        `our checkpoint lock on ${path}-shm stands, and yet SQLite in a second process began a checkpoint`,
      )
    return { checkpoint, hidden: sights.includes('hidden') }
  }

  async #ask(question: ProbeQuestion, over: AbortSignal | null = null): Promise<ProbeReply> {
    if (this.#dead) this.#child = this.#start() // Its death since the last hold says nothing about this file.
    const asked = this.#child
    const child = await asked
    over?.throwIfAborted()
    // Its end is not awaited: the queue asks the next question as soon as `over` aborts, and that needs another one.
    const replace = (): void => {
      child.kill()
      if (this.#child === asked) this.#child = this.#start()
    }
    using _ending = over === null ? null : addAbortListener(over, replace)
    try {
      return await child.ask(question, { timeoutMs: answerMsMax })
    } catch (error) {
      replace() // A probe that died or hung has proven nothing. The next hold gets a fresh one.
      over?.throwIfAborted()
      throw failureOfQuestion(question, error)
    }
  }

  /** The next question meets a failure of the start, and starts it again. */
  #start(): Promise<ProbeChild> {
    this.#dead = false
    const starting = startChild<ProbeQuestion, ProbeReply>(programBeside(import.meta.url, program), {
      ownSession: false,
      niceness: 0,
      memoryBytesMax: null,
      env: this.#env,
    })
    const over = (): void => {
      if (this.#child === starting) this.#dead = true
    }
    starting.then((child) => child.ended.then(over), over)
    return starting
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = await this.#child.catch(() => null)
    await child?.[Symbol.asyncDispose]()
  }
}

function failureOfQuestion(question: ProbeQuestion, error: unknown): Failure {
  if (error instanceof ChildEndError) return failureOfEnd(program, error.ended, answerMsMax, error)
  const path = question === 'ready' ? null : question.path
  const shortage = systemFailure(error, { doing: 'try the lock in a second process on', path })
  if (shortage instanceof Failure && shortage.concerns === 'machine') return shortage
  const what = path === null ? 'the lock' : `the lock on ${path}`
  return new Failure('IN_USE', `the second process could not try ${what}: ${(error as Error).message}`, {
    cause: error,
  })
}
