/** Our end of the guardian (hold.md F13): every lock on a live file is watched by it, from before it is asked for. */
import PQueue from 'p-queue'
import { programBeside, startChild, type Child } from '../host/child.ts'
import { monotonicMs } from '../host/clock.ts'
import { startTimeOf } from '../host/processes.ts'
import { invariant } from '../model/bug.ts'
import { Failure } from '../model/failure.ts'

export type GuardianMessage =
  | { readonly kind: 'hello' }
  | { readonly kind: 'until'; readonly watch: number; readonly forMs: number; readonly ended: readonly number[] }
  | { readonly kind: 'end'; readonly ended: readonly number[] }

/** How long a watch without a lease runs, and how often it is drawn out while this process lives. */
const heartbeat = { forMs: 15_000, everyMs: 3_000 } as const

const answerMsMax = 10_000
/** A watch that has ended is told of with the next message, or after this: each message costs a sweep a fifth of a millisecond. Far below any deadline. */
const endWithinMs = 250

export interface Watch extends Disposable {
  /** Kill this process unless the watch has ended by then. @param deadlineMs on the monotonic clock */
  until(deadlineMs: number): void
}

export class Guardian implements AsyncDisposable {
  readonly #child: Child<GuardianMessage, 'here'>
  /** Tenants that stand still at the same time share the guardian: it is asked one thing at a time. */
  readonly #questions = new PQueue({ concurrency: 1 })
  #watches = 0
  #lost = false
  #ended: number[] = []
  #endTimer: NodeJS.Timeout | null = null

  private constructor(child: Child<GuardianMessage, 'here'>) {
    this.#child = child
    void child.ended.then(() => {
      this.#lost = true
    })
  }

  /** @throws {Failure} GUARDIAN_LOST when it does not answer: nothing is held without it */
  static async start(): Promise<Guardian> {
    const startTime = startTimeOf(process.pid)
    invariant(startTime, 'our own start time is in /proc')
    const child = startChild<GuardianMessage, 'here'>(programBeside(import.meta.url, 'guardian-child'), {
      ownSession: true, niceness: 0, memoryBytesMax: null, env: { HOLDFAST_HOLDER_PID: String(process.pid), HOLDFAST_HOLDER_START: startTime },
    })
    const guardian = new Guardian(child)
    await guardian.#ask({ kind: 'hello' })
    return guardian
  }

  /** A watch with a deadline of its own. It begins when the guardian has said that it watches: it may have died unnoticed. @throws {Failure} GUARDIAN_LOST */
  async watch(deadlineMs: number): Promise<Watch> {
    const watch = this.#watches++
    const message = (deadlineMs: number): GuardianMessage => ({ kind: 'until', watch, forMs: Math.max(0, deadlineMs - monotonicMs()), ended: this.#takeEnded() })
    await this.#ask(message(deadlineMs))
    const until = (deadlineMs: number): void => this.#child.tell(message(deadlineMs))
    return { until, [Symbol.dispose]: () => this.#end(watch) }
  }

  /** A watch that runs as long as this process shows signs of life. @throws {Failure} GUARDIAN_LOST */
  async watchHeartbeat(): Promise<Disposable> {
    const watch = await this.watch(monotonicMs() + heartbeat.forMs)
    const timer = setInterval(() => watch.until(monotonicMs() + heartbeat.forMs), heartbeat.everyMs)
    return {
      [Symbol.dispose]: () => {
        clearInterval(timer)
        watch[Symbol.dispose]()
      },
    }
  }

  async #ask(message: GuardianMessage): Promise<void> {
    if (this.#lost) throw new Failure('GUARDIAN_LOST', 'the guardian process has ended')
    await this.#questions.add(() => this.#child.ask(message, { timeoutMs: answerMsMax })).catch((error: unknown) => {
      throw new Failure('GUARDIAN_LOST', 'the guardian process does not answer', { cause: error })
    })
  }

  #end(watch: number): void {
    this.#ended.push(watch)
    this.#endTimer ??= setTimeout(() => {
      const ended = this.#takeEnded()
      if (!this.#lost) this.#child.tell({ kind: 'end', ended })
    }, endWithinMs).unref()
  }

  #takeEnded(): readonly number[] {
    if (this.#endTimer) clearTimeout(this.#endTimer)
    this.#endTimer = null
    return this.#ended.splice(0)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#endTimer) clearTimeout(this.#endTimer)
    await this.#child[Symbol.asyncDispose]()
  }
}
