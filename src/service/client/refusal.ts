/** From what was heard to Failure (interfaces.md, admin API, table of statuses). */
import { Bug } from '../../model/bug.ts'
import { Failure, type FailureCode, type TenantState } from '../../model/failure.ts'
import { isFromProxy, type Outcome } from './patience.ts'
import { describe, problemOf, quote } from './problem.ts'

/** For calls that change nothing: the tenant stays as it was whatever the answer. */
export function refusal(what: string, outcome: Outcome): Failure {
  return failureOf(what, outcome, 'untouched')
}

/** After a quiesce was asked for: `maybe-paused` unless it is known better. */
export function quiesceRefusal(what: string, outcome: Outcome): Failure {
  const { heard, lost } = outcome
  if (heard.kind === 'unreachable' && !lost) return failureOf(what, outcome, 'untouched')
  if (heard.kind !== 'answer' || heard.status < 400 || isFromProxy(heard)) return failureOf(what, outcome, 'maybe-paused')
  const problem = problemOf(heard)
  if (heard.status === 503 && problem.name === 'drain-timeout') return new Failure('QUIESCE_TIMEOUT', `${what}: ${describe(problem)}`, { tenant: 'active' })
  if (heard.status === 500 && problem.state === 'active') return new Failure('ADMIN_REFUSED', `${what}: ${describe(problem)}`, { tenant: 'active', hint: 'the service could not quiesce this tenant and is serving it again; its log says why' })
  // The key was asked for before: this refusal need not be the answer to what took effect then.
  if (lost || problem.name === 'in-progress') return failureOf(what, outcome, 'maybe-paused')
  return failureOf(what, outcome, heard.status >= 500 && heard.status !== 503 ? 'unknown' : 'untouched')
}

function failureOf(what: string, { heard }: Outcome, tenant: TenantState): Failure {
  switch (heard.kind) {
    case 'unreachable':
      return new Failure('ADMIN_UNREACHABLE', `${what}: no connection (${reasonOf(heard.cause)})`, { cause: heard.cause, tenant })
    case 'lost':
      return new Failure('ADMIN_UNREACHABLE', `${what}: ${heard.how === 'deadline' ? heard.cause.message : `the connection broke off (${reasonOf(heard.cause)})`}`, { cause: heard.cause, tenant })
    case 'too-large':
      return new Failure('CONTRACT_BROKEN', `${what}: the answer is larger than any that the contract knows`, { tenant })
    case 'answer': {
      const problem = problemOf(heard)
      if (heard.status === 400 || heard.status === 422) throw new Bug(`${what}: the service calls our request wrong (${describe(problem)})`)
      return new Failure(codeOf(heard.status), `${what}: ${describe(problem)}`, { tenant })
    }
  }
}

function codeOf(status: number): FailureCode {
  if (status === 401 || status === 403 || status === 404) return 'ADMIN_REFUSED'
  if (status === 409 || status === 423 || status === 429 || status === 503) return 'SERVICE_BUSY'
  return status === 502 || status === 504 ? 'ADMIN_UNREACHABLE' : 'CONTRACT_BROKEN'
}

/** An answer that came and does not fit. */
export const misfit = (what: string, why: string, tenant: TenantState): Failure => new Failure('CONTRACT_BROKEN', `${what}: the answer does not fit the contract (${quote(why)})`, { tenant })

function reasonOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException
  return quote(code ?? error.message)
}
