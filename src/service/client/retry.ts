/**
 * How often to ask again. Every call of the admin API can be repeated: reads by nature, quiesce by its key, resume and
 * renew by contract.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { problemOf } from './problem.ts'
import type { HttpAnswer, Heard, Request, Transport } from './transport.ts'

export interface Patience {
  /** Repetitions after 429 and 503. */
  readonly waits: number
  /** A service that asks for a longer wait than this is told nothing more. */
  readonly waitMsMax: number
  /** Repetitions after a lost connection; after a deadline only one. */
  readonly repeats: number
  /** Time for one repetition: the work is done or nearly done by then. */
  readonly repeatTimeoutMs: number
  /** No attempt begins later than this after the first: whoever asked must know by when an effect would have come. */
  readonly startMsMax: number
  /** How long, in ms from now, an `in-progress` answer is waited out. */
  readonly inProgressMs: number
}

export interface AttemptOutcome {
  readonly heard: Heard
  /** Did any attempt end without an answer? It may have taken effect all the same. */
  readonly lost: boolean
}

const repeatDelayMs = 50
/**
 * While the service works on a request of the same key: soon at first, for most are done in a moment, then ever more
 * rarely.
 */
const inProgressDelayMs = { first: 100, most: 2_000 } as const

/**
 * Asks until there is an answer worth having, or patience ends. Rejects only when `signal` is aborted, with its reason.
 */
export async function askPatiently(
  transport: Transport,
  request: Request,
  patience: Patience,
  signal: AbortSignal,
): Promise<AttemptOutcome> {
  const startedAt = performance.now()
  const left: Left = {
    waits: patience.waits,
    repeats: patience.repeats,
    tokens: 1,
    inProgressDelayMs: inProgressDelayMs.first,
  }
  let lost = false
  for (let asked = request; ;) {
    const heard = await transport.ask(asked, signal)
    if (isLost(heard)) {
      lost = true
      asked = { ...request, timeoutMs: Math.min(request.timeoutMs, patience.repeatTimeoutMs) }
    }
    const elapsedMs = performance.now() - startedAt
    const delayMs = await delayBeforeNext(heard, lost, left, patience, elapsedMs, transport)
    if (delayMs === null || elapsedMs + delayMs > patience.startMsMax) return { heard, lost }
    await sleep(delayMs, undefined, { signal })
  }
}

/** What is left of patience with one request. */
interface Left {
  waits: number
  repeats: number
  tokens: number
  inProgressDelayMs: number
}

/** null: this is what there is to hear. */
async function delayBeforeNext(
  heard: Heard,
  lost: boolean,
  left: Left,
  patience: Patience,
  elapsedMs: number,
  transport: Transport,
): Promise<number | null> {
  if (isLost(heard)) {
    if (heard.kind === 'lost' && heard.how === 'deadline') left.repeats = Math.min(left.repeats, 1)
    return left.repeats-- > 0 ? repeatDelayMs : null
  }
  if (heard.kind === 'unreachable') return lost && left.repeats-- > 0 ? repeatDelayMs : null
  if (heard.kind !== 'answer') return null
  if (heard.status === 401) return left.tokens-- > 0 && (await transport.reloadToken()) ? 0 : null
  if (heard.status === 409 && problemOf(heard).name === 'in-progress') {
    if (elapsedMs >= patience.inProgressMs) return null
    const delayMs = Math.min(left.inProgressDelayMs, patience.inProgressMs - elapsedMs)
    left.inProgressDelayMs = Math.min(left.inProgressDelayMs * 2, inProgressDelayMs.most)
    return delayMs
  }
  if (heard.status === 429 || heard.status === 503) {
    const waitMs = retryAfterMs(heard) ?? 1000
    return left.waits-- > 0 && waitMs <= patience.waitMsMax ? waitMs : null
  }
  return null
}

const isLost = (heard: Heard): boolean => heard.kind === 'lost' || (heard.kind === 'answer' && isFromProxy(heard))

/** A proxy that lost the service cannot say whether the request took effect. */
export const isFromProxy = (answer: HttpAnswer): boolean => answer.status === 502 || answer.status === 504

/**
 * Seconds or a date (RFC 9110, 10.2.3); a date is taken against the service's own clock where it shows it. null when
 * absent or senseless.
 */
export function retryAfterMs(answer: Pick<HttpAnswer, 'retryAfter' | 'date'>): number | null {
  const given = answer.retryAfter?.trim() ?? ''
  if (/^[0-9]{1,9}$/.test(given)) return Number(given) * 1000
  const until = /^[A-Z][a-z]+, .* GMT$/.test(given) ? Date.parse(given) : Number.NaN
  if (Number.isNaN(until)) return null
  const theirNow = Date.parse(answer.date ?? '')
  return Math.max(0, until - (Number.isNaN(theirNow) ? Date.now() : theirNow))
}
