/**
 * Our side of the guardian (hold/README.md F13). It watches from before we ask for a lock on a live file until the lock
 * is released. It knows each hold of a tenant from before the service is asked: if this process is killed, the guardian
 * has the tenant resumed.
 */
import PQueue from 'p-queue'
import { monotonicMs } from '../../host/clock.ts'
import { AsyncDisposables } from '../../host/disposal.ts'
import { systemFailure } from '../../host/failures/system-failure.ts'
import { retryShortage, failureOfEnd } from '../../host/process/child-start.ts'
import { ChildEndError, startChild, type Child } from '../../host/process/child.ts'
import { isAlive, startTimeOf } from '../../host/process/processes.ts'
import { programBeside } from '../../host/process/program-beside.ts'
import type { TenantId } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import type { CommandState } from '../../service/port.ts'
import type { GuardedHold, ResumeTerms } from '../pause/guarded-hold.ts'

/** Numbers of watches, and holders of holds, that have ended. */
export interface EndedParts {
  readonly watches: readonly number[]
  readonly holds: readonly string[]
}

export type GuardianMessage =
  | { readonly kind: 'hello' }
  | { readonly kind: 'terms'; readonly terms: ResumeTerms }
  | { readonly kind: 'until'; readonly watch: number; readonly forMs: number; readonly ended: EndedParts }
  | { readonly kind: 'hold'; readonly hold: GuardedHold; readonly ended: EndedParts }
  | { readonly kind: 'command'; readonly tenant: TenantId; readonly latest: CommandState }
  | { readonly kind: 'end'; readonly ended: EndedParts }
  /** The run ends in good order. */
  | { readonly kind: 'goodbye' }

/** How long a watch without a lease runs, and how often this process prolongs it. */
const heartbeat = { forMs: 15_000, everyMs: 3_000 } as const

const answerMsMax = 10_000
const program = 'guardian-child'
/**
 * The guardian learns of the end of a watch with the next message, or after so many ms. In a sweep the next hold takes
 * the watch over by then, which saves a message.
 */
const endWithinMs = 20

/** For so long after an answer, the guardian need not be asked again whether it is there. */
const confirmedForMs = 1_000

export interface Watch extends Disposable {
  /** When the guardian kills this process, on the monotonic clock. */
  readonly deadlineMs: number
  /**
   * Has this process killed unless the watch ends by then. Does nothing if the watch has ended.
   * @param deadlineMs on the monotonic clock
   */
  until(deadlineMs: number): void
}

/** A watch as the guardian knows it. Until a message says that it ended, another hold may take it over. */
interface KnownWatch {
  readonly number: number
  readonly confirmedAtMs: number
  deadlineMs: number
}

export class Guardian implements AsyncDisposable {
  readonly #child: Child<GuardianMessage, 'here'>
  readonly #startTime: string
  /** Tenants that stand still at the same time share the guardian: it answers one question at a time. */
  readonly #questions = new PQueue({ concurrency: 1 })
  #watches = 0
  #lost = false
  /** Whether the system has every hold that we sent. One that waits in our own memory would be lost with us. */
  #allHoldsSent = true
  #ended: KnownWatch[] = []
  #endedHolds: string[] = []
  #endTimer: NodeJS.Timeout | null = null

  private constructor(child: Child<GuardianMessage, 'here'>, startTime: string) {
    this.#child = child
    this.#startTime = startTime
    void child.ended.then(() => {
      this.#lost = true
    })
  }

  /**
   * Starts its process without awaiting an answer.
   * @param terms how to resume the tenants that this process leaves paused if it ends; null if it pauses none
   * @throws {Failure} GUARDIAN_LOST if it cannot be started
   */
  static async begin(terms: ResumeTerms | null): Promise<Guardian> {
    try {
      return await Guardian.#start(terms)
    } catch (error) {
      const failure = systemFailure(error, { doing: 'start the guardian', path: null })
      throw failure instanceof Failure ? failure.withCode('GUARDIAN_LOST') : failure
    }
  }

  static async #start(terms: ResumeTerms | null): Promise<Guardian> {
    const ours = await retryShortage(async () => startTimeOf(process.pid))
    if (ours === null) {
      throw new Failure('GUARDIAN_LOST', '/proc does not show our own process, by which the guardian would know it', {
        hint: 'mount /proc of this pid namespace (`mount -t proc proc /proc`), and run again',
      })
    }
    await using unclaimed = new AsyncDisposables()
    const child = unclaimed.add(
      await startChild<GuardianMessage, 'here'>(programBeside(import.meta.url, program), {
        ownSession: true,
        ourErrors: true,
        niceness: 0,
        memoryBytesMax: null,
        env: { HOLDFAST_HOLDER_PID: String(process.pid), HOLDFAST_HOLDER_START: ours },
      }),
    )
    if (terms) child.tell({ kind: 'terms', terms })
    const startTime = await retryShortage(async () => startTimeOf(child.pid))
    unclaimed.move()
    return new Guardian(child, startTime ?? '')
  }

  /** @throws {Failure} GUARDIAN_LOST if it does not answer: nothing is held without it */
  ready(): Promise<void> {
    return this.#ask({ kind: 'hello' })
  }

  /**
   * A watch whose deadline lies between the two. It begins when the guardian has answered, because it may have died
   * unnoticed. In a sweep, a hold takes over the watch of the one before if that answer is fresh and the guardian is
   * seen to live. This saves two messages.
   * @throws {Failure} GUARDIAN_LOST
   */
  async watch(earliestMs: number, latestMs: number): Promise<Watch> {
    return this.#watchOf(this.#takeOver(earliestMs, latestMs) ?? (await this.#begin(latestMs)))
  }

  /** A watch that runs as long as this process prolongs it. @throws {Failure} GUARDIAN_LOST */
  async watchHeartbeat(): Promise<Disposable> {
    const watch = await this.watchUntil(monotonicMs() + heartbeat.forMs)
    const timer = setInterval(() => watch.until(monotonicMs() + heartbeat.forMs), heartbeat.everyMs)
    return {
      [Symbol.dispose]: () => {
        clearInterval(timer)
        watch[Symbol.dispose]()
      },
    }
  }

  /**
   * A watch that no other hold takes over. When it ends, the guardian is told immediately (`tellEnded`).
   * @throws {Failure} GUARDIAN_LOST
   */
  async watchUntil(deadlineMs: number): Promise<Watch> {
    const watch = this.#watchOf(await this.#begin(deadlineMs))
    return {
      get deadlineMs() {
        return watch.deadlineMs
      },
      until: (deadlineMs) => watch.until(deadlineMs),
      [Symbol.dispose]: () => {
        watch[Symbol.dispose]()
        this.tellEnded()
      },
    }
  }

  /**
   * From now on the guardian has the tenant resumed if this process is gone. To be called before the service is asked,
   * and before `watch`, whose answer shows that the guardian has heard of the hold. Dispose of it when the tenant was
   * seen serving, or when this process will not try any more.
   */
  guard(hold: GuardedHold): Disposable {
    this.#allHoldsSent = this.#child.tell({ kind: 'hold', hold, ended: this.#takeEnded() })
    let over = false
    return {
      [Symbol.dispose]: () => {
        if (over) return
        over = true
        this.#endedHolds.push(hold.holder)
        this.#tellEndedSoon()
      },
    }
  }

  /** Hands on what is known of a command that pauses or resumes a tenant: the command outlives this process. */
  tellCommand(tenant: TenantId, latest: CommandState): void {
    this.#child.tell({ kind: 'command', tenant, latest })
  }

  async #begin(deadlineMs: number): Promise<KnownWatch> {
    const standing: KnownWatch = { number: this.#watches++, confirmedAtMs: monotonicMs(), deadlineMs }
    await this.#ask(this.#until(standing))
    return standing
  }

  #takeOver(earliestMs: number, latestMs: number): KnownWatch | null {
    const nowMs = monotonicMs()
    const at = this.#ended.findIndex(
      ({ confirmedAtMs, deadlineMs }) =>
        nowMs - confirmedAtMs < confirmedForMs && deadlineMs >= earliestMs && deadlineMs <= latestMs,
    )
    // This process learns of the end of the guardian a little late, so it checks that the guardian is alive.
    if (at < 0 || this.#lost || !this.#allHoldsSent || !isAlive(this.#child.pid, this.#startTime)) return null
    return this.#ended.splice(at, 1)[0] ?? null
  }

  #watchOf(standing: KnownWatch): Watch {
    let over = false
    return {
      get deadlineMs() {
        return standing.deadlineMs
      },
      until: (deadlineMs) => {
        if (over) return // Another hold may have taken it over.
        standing.deadlineMs = deadlineMs
        this.#child.tell(this.#until(standing))
      },
      [Symbol.dispose]: () => {
        if (!over) this.#end(standing)
        over = true
      },
    }
  }

  #until({ number, deadlineMs }: KnownWatch): GuardianMessage {
    return { kind: 'until', watch: number, forMs: Math.max(0, deadlineMs - monotonicMs()), ended: this.#takeEnded() }
  }

  async #ask(message: GuardianMessage): Promise<void> {
    if (this.#lost) throw new Failure('GUARDIAN_LOST', 'the guardian process has ended')
    await this.#questions
      .add(() => this.#child.ask(message, { timeoutMs: answerMsMax }))
      .catch((error: unknown) => {
        if (error instanceof ChildEndError)
          throw failureOfEnd(program, error.ended, answerMsMax, error).withCode('GUARDIAN_LOST')
        throw new Failure('GUARDIAN_LOST', 'the guardian process does not answer', { cause: error })
      })
  }

  #end(standing: KnownWatch): void {
    this.#ended.push(standing)
    this.#tellEndedSoon()
  }

  #tellEndedSoon(): void {
    this.#endTimer ??= setTimeout(() => this.tellEnded(), endWithinMs).unref()
  }

  /**
   * Tells the guardian which watches and holds have ended. From now on it does not kill this process, even if it is
   * stopped, or busy without a turn of the event loop. Without this call the guardian is told a little later.
   */
  tellEnded(): void {
    const ended = this.#takeEnded()
    if (!this.#lost && ended.watches.length + ended.holds.length > 0) this.#child.tell({ kind: 'end', ended })
  }

  #takeEnded(): EndedParts {
    if (this.#endTimer) clearTimeout(this.#endTimer)
    this.#endTimer = null
    return { watches: this.#ended.splice(0).map(({ number }) => number), holds: this.#endedHolds.splice(0) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.tellEnded()
    this.#child.tell({ kind: 'goodbye' })
    await this.#child[Symbol.asyncDispose]()
  }
}
