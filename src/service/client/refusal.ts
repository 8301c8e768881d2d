/** Makes a Failure of a reply; admin-api.yaml says what each status means. */
import { WrongRequest } from '../../model/bug.ts'
import { Failure, type FailureCode, type TenantState } from '../../model/failure.ts'
import type { TenantServingState } from '../port.ts'
import { quoteText } from '../quote-text.ts'
import { describeProblem, problemOf } from './problem.ts'
import { isFromProxy, type CallOutcome } from './retry.ts'
import type { Reply } from './transport.ts'

/** For a call that changes nothing: the tenant stays as it was. */
export function refusal(what: string, outcome: CallOutcome): Failure {
  return failureOf(what, outcome, 'untouched')
}

/**
 * For a quiesce: `maybe-paused`, unless the reply rules that out.
 * @param state the tenant's status if no answer came in time; null if that is unknown too
 */
export function quiesceRefusal(what: string, outcome: CallOutcome, state: TenantServingState | null): Failure {
  const { reply, anyLost } = outcome
  if (isInProgress(reply)) return quiesceTimeout(what, 'the service still works on it')
  // A tenant that is quiesced came to rest in time; only the answer is lost.
  if (isLate(reply) && state !== null && state !== 'quiesced')
    return quiesceTimeout(what, `${reply.cause.message}; the service says that the tenant is ${state}`)
  if (reply.kind === 'unreachable' && !anyLost) return failureOf(what, outcome, 'untouched')
  if (reply.kind !== 'answer' || reply.status < 400 || isFromProxy(reply))
    return failureOf(what, outcome, 'maybe-paused')
  const problem = problemOf(reply)
  if (reply.status === 503 && problem.name === 'drain-timeout')
    return new Failure('QUIESCE_TIMEOUT', `${what}: ${describeProblem(problem)}`, { tenant: 'active' })
  if (reply.status === 500 && problem.state === 'active')
    return new Failure('ADMIN_REFUSED', `${what}: ${describeProblem(problem)}`, {
      tenant: 'active',
      hint: 'the service could not quiesce this tenant and is serving it again; its log says why',
    })
  // An earlier attempt with this key may have taken effect; this refusal says nothing about it.
  if (anyLost) return failureOf(what, outcome, 'maybe-paused')
  return failureOf(what, outcome, reply.status >= 500 && reply.status !== 503 ? 'unknown' : 'untouched')
}

export const isLate = (reply: Reply): reply is Extract<Reply, { kind: 'lost' }> =>
  reply.kind === 'lost' && reply.how === 'deadline'
const isInProgress = (reply: Reply): boolean =>
  reply.kind === 'answer' && reply.status === 409 && problemOf(reply).name === 'in-progress'

/** The service answers, but the quiesce did not end. */
const quiesceTimeout = (what: string, why: string): Failure =>
  new Failure('QUIESCE_TIMEOUT', `${what}: not quiesced in time (${why})`, {
    tenant: 'maybe-paused',
    hint:
      'the service answers, but this tenant does not come to rest: its requests do ' +
      'not end, or closing its handles hangs; its log says more',
  })

const brokenOffHint =
  'the service, or something before it, ended the connection without an ' +
  'answer: it may have crashed or been restarted; check its log'
const silentHint =
  'the service took the connection and gave no answer: it may be stopped, ' +
  'overloaded or stuck; check its log, or raise service.requestTimeout'

function failureOf(what: string, { reply }: CallOutcome, tenant: TenantState): Failure {
  switch (reply.kind) {
    case 'unreachable':
      return new Failure('ADMIN_UNREACHABLE', `${what}: no connection (${reasonOf(reply.cause)})`, {
        cause: reply.cause,
        tenant,
      })
    case 'lost':
      return new Failure(
        'ADMIN_UNREACHABLE',
        `${what}: ` +
          (reply.how === 'deadline' ? reply.cause.message : `the connection broke off (${reasonOf(reply.cause)})`),
        { cause: reply.cause, tenant, hint: reply.how === 'deadline' ? silentHint : brokenOffHint },
      )
    case 'too-large':
      return new Failure(
        'CONTRACT_BROKEN',
        `${what}: the answer is larger than any that the contract knows (${reply.why})`,
        { tenant },
      )
    case 'answer': {
      const problem = problemOf(reply)
      if (reply.status === 400 || reply.status === 422)
        throw new WrongRequest(`${what}: the service calls our request wrong (${describeProblem(problem)})`)
      return new Failure(codeOf(reply.status), `${what}: ${describeProblem(problem)}`, { tenant })
    }
  }
}

function codeOf(status: number): FailureCode {
  if (status === 401 || status === 403 || status === 404) return 'ADMIN_REFUSED'
  if (status === 409 || status === 423 || status === 429 || status === 503) return 'SERVICE_BUSY'
  return status === 502 || status === 504 ? 'ADMIN_UNREACHABLE' : 'CONTRACT_BROKEN'
}

/** For an answer that does not fit the contract. */
export const answerFailure = (what: string, why: string, tenant: TenantState): Failure =>
  new Failure('CONTRACT_BROKEN', `${what}: the answer does not fit the contract (${quoteText(why)})`, { tenant })

function reasonOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException
  return quoteText(code ?? error.message)
}
