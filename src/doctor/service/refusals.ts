/**
 * Requests that a service must refuse. If one is not refused, it may have paused the tenant, which is then resumed
 * immediately.
 */

import { Failure } from '../../model/failure.ts'
import type { WireAnswer } from '../../service/client/wire.ts'
import { attempt, broken, fit, skipped, step, unfitFor, type StepOutcome, type DoctorStep } from '../steps.ts'
import { DoctorHold, type DoctorLease, type ApiTrial } from './doctor-hold.ts'
import { describeAnswer, isRefusal, wrongRefusal } from './judge-answer.ts'
import { leaseIn, TenantCalls } from './tenant-calls.ts'

const ttlMs = 2_000

/** A wrong request, and the problem that must be its answer. */
interface InvalidCall {
  readonly what: string
  readonly problem: 'idempotency-key-missing' | 'unknown-field' | 'invalid-request'
  readonly ask: (calls: TenantCalls, holder: string) => Promise<WireAnswer>
}

const field = (what: string, problem: InvalidCall['problem'], more: object): InvalidCall => ({
  what,
  problem,
  ask: (calls, holder) => calls.quiesce(calls.terms(holder, ttlMs, more)),
})

const wrongs: Readonly<Record<string, readonly InvalidCall[]>> = {
  'service: quiesce without a key': [
    {
      what: 'no Idempotency-Key',
      problem: 'idempotency-key-missing',
      ask: (calls, holder) => calls.quiesce(calls.terms(holder, ttlMs), { key: null }),
    },
  ],
  'service: unknown fields': [
    field('a field that no version knows', 'unknown-field', { force: true }),
    {
      what: 'a parameter that no version knows',
      problem: 'unknown-field',
      ask: (calls, holder) => calls.quiesce(calls.terms(holder, ttlMs), { query: '?force=true' }),
    },
  ],
  'service: mandatory fields': ['ttlMs', 'maxHoldMs', 'holder', 'reason'].map((name) =>
    field(`no ${name}`, 'invalid-request', { [name]: undefined }),
  ),
  'service: fields that do not fit': [
    field('a ttlMs of 0', 'invalid-request', { ttlMs: 0 }),
    field('a ttlMs that is text', 'invalid-request', { ttlMs: '2000' }),
    field('an empty holder', 'invalid-request', { holder: '' }),
  ],
}

export async function tryRefusals(trial: ApiTrial): Promise<readonly DoctorStep[]> {
  const calls = new TenantCalls(trial)
  const steps: DoctorStep[] = []
  for (const [about, requests] of Object.entries(wrongs)) {
    if (steps.some(({ outcome }) => outcome === 'paused'))
      steps.push(skipped(about, 'a request before it left the tenant paused'))
    else steps.push(await step(about, () => tryAll(trial, calls, requests)))
  }
  return steps
}

async function tryAll(trial: ApiTrial, calls: TenantCalls, requests: readonly InvalidCall[]): Promise<StepOutcome> {
  const held = await DoctorHold.announce(trial, ttlMs)
  let granted: DoctorLease | null = null
  let refused = true
  let wrong: string | null = null
  let stillPaused: Failure | null = null
  try {
    for (const { what, problem, ask } of requests) {
      refused = false
      const said = await attempt(() => ask(calls, held.holder))
      wrong = said instanceof Failure ? said.message : wrongOf(what, problem, said)
      if (said instanceof Failure) break
      refused = isRefusal(said)
      granted = leaseIn(said)
      if (wrong !== null) break
    }
  } finally {
    // A refusal alone proves nothing: the tenant was not paused only if it is seen active.
    const pausedNobody = refused && (await attempt(() => calls.state())) === 'active'
    if (pausedNobody) await held.recordEnd('never-began', null)
    else stillPaused = await held.end(granted)
  }
  if (stillPaused) return unfitFor(stillPaused)
  return wrong === null ? fit(requests.length === 1 ? 'refused' : `refused, each of ${requests.length}`) : broken(wrong)
}

function wrongOf(what: string, problem: InvalidCall['problem'], said: WireAnswer): string | null {
  if (said.status < 400) return `a request with ${what} was not refused: it was answered ${describeAnswer(said)}`
  const wrong = wrongRefusal(said, 400, problem)
  return wrong === null ? null : `a request with ${what}: ${wrong}`
}
