/**
 * Our end of the guardian (hold/README.md F13). Every lock on a live file is watched by it, from before it is asked
 * for. Every hold of a tenant is known to it, from before the service is asked: should this process be killed, the
 * guardian has the tenant resumed.
 */
import PQueue from 'p-queue'
import { monotonicMs } from '../../host/clock.ts'
import { AsyncDisposables } from '../../host/disposal.ts'
import { systemFailure } from '../../host/failures/system-failure.ts'
import { retryShortage, failureOfEnd } from '../../host/process/child-start.ts'
import { ChildEnded, startChild, type Child } from '../../host/process/child.ts'
import { isAlive, startTimeOf } from '../../host/process/processes.ts'
import { programBeside } from '../../host/process/program-beside.ts'
import type { TenantId } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import type { CommandState } from '../../service/port.ts'
import type { GuardedHold, ResumeTerms } from '../pause/guarded-hold.ts'

/** Numbers of watches, and holders of holds. */
export interface EndedParts {
  readonly watches: readonly number[]
  readonly holds: readonly string[]
}

export type GuardianMessage =
  | { readonly kind: 'hello' }
  | { readonly kind: 'terms'; readonly terms: ResumeTerms }
  | { readonly kind: 'until'; readonly watch: number; readonly forMs: number; readonly ended: EndedParts }
  | { readonly kind: 'hold'; readonly hold: GuardedHold; readonly ended: EndedParts }
  | { readonly kind: 'command'; readonly tenant: TenantId; readonly news: CommandState }
  | { readonly kind: 'end'; readonly ended: EndedParts }
  /** The run ends in good order. */
  | { readonly kind: 'goodbye' }

/** How long a watch without a lease runs, and how often it is drawn out while this process lives. */
const heartbeat = { forMs: 15_000, everyMs: 3_000 } as const

const answerMsMax = 10_000
const program = 'guardian-child'
/**
 * A watch of a pause that has ended is told of with the next message, or after this: in a sweep the next hold takes it
 * over by then, and each message costs a fifth of a millisecond.
 */
const endWithinMs = 20

/** That the guardian is there need not be asked again for so long. */
const confirmedForMs = 1_000

export interface Watch extends Disposable {
  /** When the guardian kills this process, on the monotonic clock. */
  readonly deadlineMs: number
  /**
   * Kill this process unless the watch has ended by then; nothing where it has ended. @param deadlineMs on the
   * monotonic clock
   */
  until(deadlineMs: number): void
}

/**
 * A watch as the guardian knows it. It stands until the guardian has been told that it ended: until then another hold
 * may take it over.
 */
interface Standing {
  readonly number: number
  readonly confirmedAtMs: number
  deadlineMs: number
}

export class Guardian implements AsyncDisposable {
  readonly #child: Child<GuardianMessage, 'here'>
  readonly #startTime: string
  /** Tenants that stand still at the same time share the guardian: it is asked one thing at a time. */
  readonly #questions = new PQueue({ concurrency: 1 })
  #watches = 0
  #lost = false
  /** Is every hold that we told on its way? One that waits in our memory would be lost with us. */
  #isToldOfHolds = true
  #ended: Standing[] = []
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
   * Starts its process, and does not wait until it answers. @param terms how to resume what this process would leave
   * open; null where it holds no tenants @throws {Failure} GUARDIAN_LOST when it cannot be started
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

  /** @throws {Failure} GUARDIAN_LOST when it does not answer: nothing is held without it */
  ready(): Promise<void> {
    return this.#ask({ kind: 'hello' })
  }

  /**
   * A watch whose deadline lies between the two. It begins when the guardian has said that it watches: it may have died
   * unnoticed. In a sweep the watch of the hold before stands as long as that word is fresh, and the guardian is seen
   * to live: to ask for each hold cost two messages.
   * @throws {Failure} GUARDIAN_LOST
   */
  async watch(earliestMs: number, latestMs: number): Promise<Watch> {
    return this.#watchOf(this.#takeOver(earliestMs, latestMs) ?? (await this.#begin(latestMs)))
  }

  /** A watch that runs as long as this process shows signs of life. @throws {Failure} GUARDIAN_LOST */
  async watchHeartbeat(): Promise<Disposable> {
    const watch = this.#watchOf(await this.#begin(monotonicMs() + heartbeat.forMs))
    const timer = setInterval(() => watch.until(monotonicMs() + heartbeat.forMs), heartbeat.everyMs)
    return {
      [Symbol.dispose]: () => {
        clearInterval(timer)
        watch[Symbol.dispose]()
        // Nobody takes it over: who stops us from now on, or makes us work without a turn of the event loop, must not
        // end us.
        this.#tellEnded()
      },
    }
  }

  /**
   * From now on the tenant is resumed should this process be gone. Told before the service is asked; dispose it when
   * the tenant was seen serving, or when nobody here will try any more. Ask for a watch before the service is asked: by
   * then the guardian surely has heard of the hold.
   */
  guard(hold: GuardedHold): Disposable {
    this.#isToldOfHolds = this.#child.tell({ kind: 'hold', hold, ended: this.#takeEnded() })
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

  /** What is known of a command that pauses or resumes a tenant: it outlives us. */
  tellCommand(tenant: TenantId, news: CommandState): void {
    this.#child.tell({ kind: 'command', tenant, news })
  }

  async #begin(deadlineMs: number): Promise<Standing> {
    const standing: Standing = { number: this.#watches++, confirmedAtMs: monotonicMs(), deadlineMs }
    await this.#ask(this.#until(standing))
    return standing
  }

  #takeOver(earliestMs: number, latestMs: number): Standing | null {
    const nowMs = monotonicMs()
    const at = this.#ended.findIndex(
      ({ confirmedAtMs, deadlineMs }) =>
        nowMs - confirmedAtMs < confirmedForMs && deadlineMs >= earliestMs && deadlineMs <= latestMs,
    )
    // Of its end we hear a little late: it is looked for.
    if (at < 0 || this.#lost || !this.#isToldOfHolds || !isAlive(this.#child.pid, this.#startTime)) return null
    return this.#ended.splice(at, 1)[0] ?? null
  }

  #watchOf(standing: Standing): Watch {
    let over = false
    return {
      get deadlineMs() {
        return standing.deadlineMs
      },
      until: (deadlineMs) => {
        if (over) return // It may be the next hold's by now.
        standing.deadlineMs = deadlineMs
        this.#child.tell(this.#until(standing))
      },
      [Symbol.dispose]: () => {
        if (!over) this.#end(standing)
        over = true
      },
    }
  }

  #until({ number, deadlineMs }: Standing): GuardianMessage {
    return { kind: 'until', watch: number, forMs: Math.max(0, deadlineMs - monotonicMs()), ended: this.#takeEnded() }
  }

  async #ask(message: GuardianMessage): Promise<void> {
    if (this.#lost) throw new Failure('GUARDIAN_LOST', 'the guardian process has ended')
    await this.#questions
      .add(() => this.#child.ask(message, { timeoutMs: answerMsMax }))
      .catch((error: unknown) => {
        if (error instanceof ChildEnded)
          throw failureOfEnd(program, error.ended, answerMsMax, error).withCode('GUARDIAN_LOST')
        throw new Failure('GUARDIAN_LOST', 'the guardian process does not answer', { cause: error })
      })
  }

  #end(standing: Standing): void {
    this.#ended.push(standing)
    this.#tellEndedSoon()
  }

  #tellEndedSoon(): void {
    this.#endTimer ??= setTimeout(() => this.#tellEnded(), endWithinMs).unref()
  }

  #tellEnded(): void {
    const ended = this.#takeEnded()
    if (!this.#lost && ended.watches.length + ended.holds.length > 0) this.#child.tell({ kind: 'end', ended })
  }

  #takeEnded(): EndedParts {
    if (this.#endTimer) clearTimeout(this.#endTimer)
    this.#endTimer = null
    return { watches: this.#ended.splice(0).map(({ number }) => number), holds: this.#endedHolds.splice(0) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#tellEnded()
    this.#child.tell({ kind: 'goodbye' })
    await this.#child[Symbol.asyncDispose]()
  }
}
