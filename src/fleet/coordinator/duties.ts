/** The duties of a coordinator: each is done again and again, whatever becomes of the others. */
import { monotonicMs, sleep } from '../../host/clock.ts'
import { Failure } from '../../model/failure.ts'

export interface Duty {
  /** What it does, after `cannot`: `free slots`. */
  readonly name: string
  readonly everyMs: number
  readonly work: () => Promise<void>
}

export interface DutyObserver {
  /** Called when a duty begins to fail, and with null when it works again. */
  readonly onTrouble: (duty: string, failure: Failure | null) => void
  /** Called while a duty fails, with how long it has. */
  readonly onStillFailing: (failure: Failure, forMs: number) => Promise<void>
}

/** A duty that fails is tried again at least after so long. */
const againMsMin = 2_000

/** Resolves when the signal aborts. @throws what is no failure: a defect */
export async function doDuties(duties: readonly Duty[], observer: DutyObserver, signal: AbortSignal): Promise<void> {
  const defect = new AbortController()
  const all = AbortSignal.any([signal, defect.signal])
  const loops = duties.map((duty) =>
    repeat(duty, observer, all).catch((error: unknown) => {
      defect.abort(error)
      throw error
    }),
  )
  const ended = await Promise.allSettled(loops)
  const failed = ended.find(({ status }) => status === 'rejected')
  if (failed?.status === 'rejected') throw failed.reason
}

async function repeat({ name, everyMs, work }: Duty, observer: DutyObserver, signal: AbortSignal): Promise<void> {
  let failingSinceMs: number | null = null
  while (!signal.aborted) {
    let waitMs = everyMs
    try {
      await work()
      if (failingSinceMs !== null) observer.onTrouble(name, null)
      failingSinceMs = null
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      if (failingSinceMs === null) observer.onTrouble(name, error)
      failingSinceMs ??= monotonicMs()
      await observer.onStillFailing(error, monotonicMs() - failingSinceMs)
      waitMs = Math.max(everyMs, againMsMin)
    }
    await sleep(waitMs, signal).catch(() => undefined)
  }
}
