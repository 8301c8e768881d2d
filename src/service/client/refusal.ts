/** From what was heard to Failure (interfaces.md, admin API, table of statuses). */
import { WrongRequest } from '../../model/bug.ts'
import { Failure, type FailureCode, type TenantState } from '../../model/failure.ts'
import type { TenantServing } from '../port.ts'
import { quoteText } from '../quote-text.ts'
import { describeProblem, problemOf } from './problem.ts'
import { isFromProxy, type AttemptOutcome } from './retry.ts'
import type { Heard } from './transport.ts'

/** For calls that change nothing: the tenant stays as it was whatever the answer. */
export function refusal(what: string, outcome: AttemptOutcome): Failure {
  return failureOf(what, outcome, 'untouched')
}

/**
 * After a quiesce was asked for: `maybe-paused` unless it is known better.
 * @param state what the tenant's status says where no answer came in time; null where it says nothing either
 */
export function quiesceRefusal(what: string, outcome: AttemptOutcome, state: TenantServing | null): Failure {
  const { heard, lost } = outcome
  if (isInProgress(heard)) return unfinished(what, 'the service is still at it')
  // A quiesced tenant of which the answer is lost came to rest in time.
  if (isLate(heard) && state !== null && state !== 'quiesced')
    return unfinished(what, `${heard.cause.message}; the service says that the tenant is ${state}`)
  if (heard.kind === 'unreachable' && !lost) return failureOf(what, outcome, 'untouched')
  if (heard.kind !== 'answer' || heard.status < 400 || isFromProxy(heard))
    return failureOf(what, outcome, 'maybe-paused')
  const problem = problemOf(heard)
  if (heard.status === 503 && problem.name === 'drain-timeout')
    return new Failure('QUIESCE_TIMEOUT', `${what}: ${describeProblem(problem)}`, { tenant: 'active' })
  if (heard.status === 500 && problem.state === 'active')
    return new Failure('ADMIN_REFUSED', `${what}: ${describeProblem(problem)}`, {
      tenant: 'active',
      hint: 'the service could not quiesce this tenant and is serving it again; its log says why',
    })
  // The key was asked for before: this refusal need not be the answer to what took effect then.
  if (lost) return failureOf(what, outcome, 'maybe-paused')
  return failureOf(what, outcome, heard.status >= 500 && heard.status !== 503 ? 'unknown' : 'untouched')
}

export const isLate = (heard: Heard): heard is Extract<Heard, { kind: 'lost' }> =>
  heard.kind === 'lost' && heard.how === 'deadline'
const isInProgress = (heard: Heard): boolean =>
  heard.kind === 'answer' && heard.status === 409 && problemOf(heard).name === 'in-progress'

/** The service is there, and did not end the quiesce. */
const unfinished = (what: string, why: string): Failure =>
  new Failure('QUIESCE_TIMEOUT', `${what}: not quiesced in time (${why})`, {
    tenant: 'maybe-paused',
    hint:
      'the service answers, but this tenant does not come to rest: its requests do ' +
      'not end, or closing its handles hangs; its log says more',
  })

const brokenOffHint =
  'the service, or something before it, ended the connection without an ' +
  'answer: it may have crashed or been restarted; look at its log'
const silentHint =
  'the service took the connection and gave no answer: it may be stopped, ' +
  'overloaded or stuck; look at its log, or raise service.requestTimeout'

function failureOf(what: string, { heard }: AttemptOutcome, tenant: TenantState): Failure {
  switch (heard.kind) {
    case 'unreachable':
      return new Failure('ADMIN_UNREACHABLE', `${what}: no connection (${reasonOf(heard.cause)})`, {
        cause: heard.cause,
        tenant,
      })
    case 'lost':
      return new Failure(
        'ADMIN_UNREACHABLE',
        `${what}: ` +
          (heard.how === 'deadline' ? heard.cause.message : `the connection broke off (${reasonOf(heard.cause)})`),
        { cause: heard.cause, tenant, hint: heard.how === 'deadline' ? silentHint : brokenOffHint },
      )
    case 'too-large':
      return new Failure(
        'CONTRACT_BROKEN',
        `${what}: the answer is larger than any that the contract knows (${heard.why})`,
        { tenant },
      )
    case 'answer': {
      const problem = problemOf(heard)
      if (heard.status === 400 || heard.status === 422)
        throw new WrongRequest(`${what}: the service calls our request wrong (${describeProblem(problem)})`)
      return new Failure(codeOf(heard.status), `${what}: ${describeProblem(problem)}`, { tenant })
    }
  }
}

function codeOf(status: number): FailureCode {
  if (status === 401 || status === 403 || status === 404) return 'ADMIN_REFUSED'
  if (status === 409 || status === 423 || status === 429 || status === 503) return 'SERVICE_BUSY'
  return status === 502 || status === 504 ? 'ADMIN_UNREACHABLE' : 'CONTRACT_BROKEN'
}

/** An answer that came and does not fit. */
export const misfit = (what: string, why: string, tenant: TenantState): Failure =>
  new Failure('CONTRACT_BROKEN', `${what}: the answer does not fit the contract (${quoteText(why)})`, { tenant })

function reasonOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException
  return quoteText(code ?? error.message)
}
