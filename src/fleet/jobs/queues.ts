/** The queues of a fleet. Only the coordinator creates them: pg-boss keeps the options of the first creation. */
import type { QueueOptions, QueuePolicy } from 'pg-boss'
import { Bug } from '../../model/bug.ts'

interface QueueDefinition extends QueueOptions {
  readonly policy: QueuePolicy
  readonly deadLetter?: string
  readonly notify?: boolean
}

export const sweepQueue = 'sweep'
/** Chunks that failed in all their attempts. No host's queue can have this name. */
export const deadQueue = 'dead-letters'

const hostPrefix = 'check.'

/** @param host its name in the fleet: letters, digits, `.`, `-` and `_` */
export function queueOf(host: string): string {
  if (!/^[\w.-]+$/.test(host)) throw new Bug(`no queue can have the name of this host: ${host}`)
  return hostPrefix + host
}

/** Null if it is not the queue of a host. */
export const hostOf = (queue: string): string | null =>
  queue.startsWith(hostPrefix) ? queue.slice(hostPrefix.length) : null

const daySeconds = 24 * 60 * 60

/** A job is kept this long after its end. As long as it is kept, its id is refused. */
const keptSeconds = 7 * daySeconds

const common = { expireInSeconds: daySeconds, retentionSeconds: keptSeconds, deleteAfterSeconds: keptSeconds }

/**
 * A job of the schedule begins a sweep, and ends when it has begun. An index of `run` refuses a second sweep while one
 * is unfinished.
 */
export const sweepQueueOptions: QueueDefinition = {
  ...common,
  policy: 'exclusive',
  heartbeatSeconds: 30,
  retryLimit: 1000,
  retryDelay: 1,
}

export const deadQueueOptions: QueueDefinition = {
  ...common,
  policy: 'standard',
  heartbeatSeconds: 60,
  retryLimit: 1000,
  retryDelay: 30,
}

/** `exclusive` refuses a second chunk of the same key while the first one is unfinished. */
export const hostQueueOptions: QueueDefinition = {
  ...common,
  policy: 'exclusive',
  heartbeatSeconds: 60,
  retryLimit: 3,
  retryDelay: 30,
  deadLetter: deadQueue,
  notify: true,
}
