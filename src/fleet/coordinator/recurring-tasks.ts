/** The tasks of a coordinator: each is done again and again, whatever becomes of the others. */
import { sleep } from '../../host/clock.ts'
import { Failure } from '../../model/failure.ts'

export interface RecurringTask {
  /** What it does, after `cannot`: `free slots`. */
  readonly name: string
  readonly everyMs: number
  readonly work: () => Promise<void>
}

export interface RecurringTaskObserver {
  /** Called each time that a task was done. `hadFailed`: it could not be done before. */
  readonly onDone: (task: string, hadFailed: boolean) => void
  /** Called each time that a task fails, with how long it has: 0 for the first time. */
  readonly onFailed: (task: string, failure: Failure, forMs: number) => Promise<void>
  /** A clock in ms that never jumps. */
  readonly now: () => number
}

/** A task that fails is tried again after so long, in ms. */
const againMs = { least: 2_000, most: 60_000 } as const

/** Resolves when the signal aborts. @throws what is no failure: a defect */
export async function doRecurringTasks(
  tasks: readonly RecurringTask[],
  observer: RecurringTaskObserver,
  signal: AbortSignal,
): Promise<void> {
  const defect = new AbortController()
  const all = AbortSignal.any([signal, defect.signal])
  const loops = tasks.map((task) =>
    repeat(task, observer, all).catch((error: unknown) => {
      defect.abort(error)
      throw error
    }),
  )
  const ended = await Promise.allSettled(loops)
  const failed = ended.find(({ status }) => status === 'rejected')
  if (failed?.status === 'rejected') throw failed.reason
}

async function repeat(
  { name, everyMs, work }: RecurringTask,
  observer: RecurringTaskObserver,
  signal: AbortSignal,
): Promise<void> {
  let failingSinceMs: number | null = null
  while (!signal.aborted) {
    let waitMs = everyMs
    try {
      await work()
      observer.onDone(name, failingSinceMs !== null)
      failingSinceMs = null
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      failingSinceMs ??= observer.now()
      await observer.onFailed(name, error, observer.now() - failingSinceMs)
      waitMs = Math.min(Math.max(everyMs, againMs.least), againMs.most)
    }
    await sleep(waitMs, signal).catch(() => undefined)
  }
}
