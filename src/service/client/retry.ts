/**
 * Sends a request again after a lost answer, or when the service asks for a wait. Every call of the admin API may be
 * repeated. A read changes nothing, a quiesce has a key, and the contract allows it for resume and renew.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { problemOf } from './problem.ts'
import type { HttpAnswer, Reply, Request, Transport } from './transport.ts'

export interface RetryPolicy {
  /** How often a request is sent again after 429 and 503. */
  readonly waits: number
  /** If the service asks for a longer wait than this, its refusal is the reply. */
  readonly waitMsMax: number
  /** How often a request is sent again after a lost connection. After a deadline it is sent once more at most. */
  readonly repeats: number
  /** Deadline of a repetition: the service has done the work by then, or nearly. */
  readonly repeatTimeoutMs: number
  /** No attempt begins later than this after the first. The caller relies on when the last effect may come. */
  readonly startMsMax: number
  /** How long a request is repeated while the service answers `in-progress`, in ms from the first attempt. */
  readonly inProgressMs: number
}

export interface CallOutcome {
  readonly reply: Reply
  /** True if any attempt ended without an answer. That attempt may have taken effect. */
  readonly anyLost: boolean
}

const repeatDelayMs = 50
/** Delay while the service works on a request with the same key. It doubles, because most end in a moment. */
const inProgressDelayMs = { first: 100, most: 2_000 } as const

/** Sends until a reply is final or `policy` is used up. Rejects only with the reason of `signal`. */
export async function sendWithRetries(
  transport: Transport,
  request: Request,
  policy: RetryPolicy,
  signal: AbortSignal,
): Promise<CallOutcome> {
  const startedAt = performance.now()
  const left: RetryBudget = {
    waits: policy.waits,
    repeats: policy.repeats,
    tokens: 1,
    inProgressDelayMs: inProgressDelayMs.first,
  }
  let anyLost = false
  for (let asked = request; ;) {
    const reply = await transport.send(asked, signal)
    if (isLost(reply)) {
      anyLost = true
      asked = { ...request, timeoutMs: Math.min(request.timeoutMs, policy.repeatTimeoutMs) }
    }
    const elapsedMs = performance.now() - startedAt
    const delayMs = await delayBeforeNext(reply, anyLost, left, policy, elapsedMs, transport)
    if (delayMs === null || elapsedMs + delayMs > policy.startMsMax) return { reply, anyLost }
    await sleep(delayMs, undefined, { signal })
  }
}

/** What is left of the policy for one request. */
interface RetryBudget {
  waits: number
  repeats: number
  tokens: number
  inProgressDelayMs: number
}

/** In ms; null if the reply is final. */
async function delayBeforeNext(
  reply: Reply,
  anyLost: boolean,
  left: RetryBudget,
  policy: RetryPolicy,
  elapsedMs: number,
  transport: Transport,
): Promise<number | null> {
  if (isLost(reply)) {
    if (reply.kind === 'lost' && reply.how === 'deadline') left.repeats = Math.min(left.repeats, 1)
    return left.repeats-- > 0 ? repeatDelayMs : null
  }
  if (reply.kind === 'unreachable') return anyLost && left.repeats-- > 0 ? repeatDelayMs : null
  if (reply.kind !== 'answer') return null
  if (reply.status === 401) return left.tokens-- > 0 && (await transport.reloadToken()) ? 0 : null
  if (reply.status === 409 && problemOf(reply).name === 'in-progress') {
    if (elapsedMs >= policy.inProgressMs) return null
    const delayMs = Math.min(left.inProgressDelayMs, policy.inProgressMs - elapsedMs)
    left.inProgressDelayMs = Math.min(left.inProgressDelayMs * 2, inProgressDelayMs.most)
    return delayMs
  }
  if (reply.status === 429 || reply.status === 503) {
    const waitMs = retryAfterMs(reply) ?? 1000
    return left.waits-- > 0 && waitMs <= policy.waitMsMax ? waitMs : null
  }
  return null
}

const isLost = (reply: Reply): boolean => reply.kind === 'lost' || (reply.kind === 'answer' && isFromProxy(reply))

/** A proxy that lost the service does not know whether the request took effect. */
export const isFromProxy = (answer: HttpAnswer): boolean => answer.status === 502 || answer.status === 504

/**
 * The delay that Retry-After asks for (RFC 9110, 10.2.3), in ms; null if it is absent or makes no sense. A date counts
 * from the service's own clock if the answer has one.
 */
export function retryAfterMs(answer: Pick<HttpAnswer, 'retryAfter' | 'date'>): number | null {
  const given = answer.retryAfter?.trim() ?? ''
  if (/^[0-9]{1,9}$/.test(given)) return Number(given) * 1000
  const until = /^[A-Z][a-z]+, .* GMT$/.test(given) ? Date.parse(given) : Number.NaN
  if (Number.isNaN(until)) return null
  const theirNow = Date.parse(answer.date ?? '')
  return Math.max(0, until - (Number.isNaN(theirNow) ? Date.now() : theirNow))
}
