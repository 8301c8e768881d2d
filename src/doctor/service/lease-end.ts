/**
 * A short lease, observed to its end. A renewal prolongs it, but not beyond `maxHoldMs`. It ends by itself at the time
 * that the service gave.
 */

import { sleep } from '../../host/clock.ts'
import { Failure } from '../../model/failure.ts'
import type { WireAnswer } from '../../service/client/wire.ts'
import {
  attempt,
  broken,
  fit,
  notTried,
  skipped,
  step,
  tooSlow,
  unfit,
  unfitFor,
  type StepOutcome,
  type DoctorStep,
} from '../steps.ts'
import { DoctorHold, type FirstHold, type DoctorLease, type ApiTrial } from './doctor-hold.ts'
import { describeAnswer, isRefusedForNow, numberIn, wrongRefusal } from './judge-answer.ts'
import { leaseIn, TenantCalls } from './tenant-calls.ts'

const ttlMsMin = 1_500
/** A lease may end so much before or after the time that the service gave, because of its clock and ours. */
const earlyMs = 100
const lateMs = 500
const roundedMs = 2

/** When a lease ends by the service's answer, on our clock: not before `from`, and not after `to`. */
interface End {
  readonly from: number
  readonly to: number
}

export async function tryLeaseEnd(trial: ApiTrial, { tookMs }: FirstHold): Promise<readonly DoctorStep[]> {
  const {
    settings: { hold },
  } = trial
  const calls = new TenantCalls(trial)
  // Long enough for a slow service to answer long before its end.
  const ttlMs = Math.round(Math.max(Math.min(ttlMsMin, hold.ttlMs), Math.min(tookMs * 4, hold.ttlMs)))
  const maxHoldMs = Math.round(ttlMs * 1.4)
  const held = await DoctorHold.announce(trial, ttlMs * 2)
  const steps: DoctorStep[] = []
  let lease: DoctorLease | null = null
  try {
    const askedAt = performance.now()
    const said = await attempt(() => calls.quiesce(calls.terms(held.holder, ttlMs, { maxHoldMs })))
    const answeredAt = performance.now()
    lease = said instanceof Failure ? null : leaseIn(said)
    steps.push({ about: 'service: length of the lease', ...judgeLength(said, lease, ttlMs) })
    if (said instanceof Failure || lease === null) return steps
    const told = numberIn(said, 'expiresInMs') ?? ttlMs
    const first: End = { from: askedAt + told, to: answeredAt + told }
    const { end, renewal } = await tryRenewal(trial, lease, { first, ttlMs, maxHoldMs, answeredAt })
    steps.push({ about: 'service: a renewal prolongs', ...renewal })
    steps.push(await step('service: the lease ends by itself', () => waitForEnd(trial, calls, end)))
    if (steps.at(-1)?.outcome !== 'fit')
      steps.push(skipped('service: after the end of the lease', 'it did not end as it should'))
    else
      steps.push(
        await step('service: after the end of the lease', () =>
          lookAfterwards(trial, calls, lease as DoctorLease, held.holder),
        ),
      )
    return steps
  } finally {
    const stillPaused = await held.end(lease)
    if (stillPaused) steps.push(unfit('service: resume of a short lease', stillPaused))
  }
}

function judgeLength(said: WireAnswer | Failure, lease: DoctorLease | null, ttlMs: number): StepOutcome {
  if (said instanceof Failure) return unfitFor(said.withTenant('active'))
  if (isRefusedForNow(said)) return notTried(`the service refused it for now: ${describeAnswer(said)}`)
  const told = numberIn(said, 'expiresInMs')
  if (lease === null || told === null) return broken(`it was answered ${describeAnswer(said)}, not 201 with a lease`)
  return told > ttlMs
    ? broken(`its answer gives the lease ${told} ms, and the doctor asked for ${ttlMs} ms`)
    : fit(`${told} ms, and the doctor asked for ${ttlMs} ms`)
}

interface ShortLease {
  readonly first: End
  readonly ttlMs: number
  readonly maxHoldMs: number
  readonly answeredAt: number
}

/** Renews after more than half of the time, and checks when the lease would have ended without the renewal. */
async function tryRenewal(
  trial: ApiTrial,
  lease: DoctorLease,
  { first, ttlMs, maxHoldMs, answeredAt }: ShortLease,
): Promise<{ readonly end: End; readonly renewal: StepOutcome }> {
  const { service, tenant, signal } = trial
  const calls = new TenantCalls(trial)
  await sleep(Math.max(0, answeredAt + (first.to - answeredAt) * 0.6 - performance.now()), signal)
  const askedAt = performance.now()
  const said = await attempt(() => calls.renew(lease, { fence: lease.fence }))
  const renewedAt = performance.now()
  const left = said instanceof Failure ? null : numberIn(said, 'expiresInMs')
  if (renewedAt > first.from && (said instanceof Failure || said.status === 410))
    return { end: first, renewal: notTried(tooSlow(ttlMs)) }
  if (said instanceof Failure) return { end: first, renewal: unfitFor(said.withTenant('active')) }
  if (said.status !== 200 || left === null)
    return { end: first, renewal: broken(`it was answered ${describeAnswer(said)}, not 200 with expiresInMs`) }
  const end: End = { from: askedAt + left, to: renewedAt + left }
  if (left > ttlMs) return { end, renewal: broken(`${left} ms are left, and the doctor asked for ${ttlMs} ms`) }
  if (left > maxHoldMs - (askedAt - answeredAt) + roundedMs)
    return { end, renewal: broken(`${left} ms are left: that is past the maxHoldMs of ${maxHoldMs} ms`) }
  if (renewedAt + left <= first.to)
    return { end: first, renewal: broken(`${left} ms are left after it, no more than before`) }
  await sleep(Math.max(0, first.to + earlyMs - performance.now()), signal)
  const status = await attempt(() => service.servingStatus(tenant, signal))
  if (status instanceof Failure) return { end, renewal: unfitFor(status.withTenant('active')) }
  // If the answer took so long that the renewed lease may have ended too, nothing is proven.
  const ended = status.state !== 'quiesced' && performance.now() < end.from - earlyMs
  return {
    end,
    renewal: ended
      ? broken('the lease ended as if it had not been renewed')
      : fit(`${Math.round(left)} ms from then, and not past maxHoldMs`),
  }
}

async function waitForEnd(
  { service, tenant, wire, signal }: ApiTrial,
  calls: TenantCalls,
  { from, to }: End,
): Promise<StepOutcome> {
  for (;;) {
    const askedAt = performance.now()
    const state = await calls.state()
    const seenAt = performance.now()
    if (state !== 'quiesced' && seenAt < from - earlyMs)
      return broken(`it ended ${Math.round(from - seenAt)} ms before the time that the service gave`)
    if (state === 'active') break
    // A machine under load is late in everything, so the time of the slowest answer is allowed for too.
    if (askedAt > to + lateMs + 4 * wire.slowestMs)
      return broken(`${Math.round(askedAt - to)} ms after it should have ended its state is ${state}`)
    await sleep(50, signal)
  }
  const { healthy, lastError } = await service.tenant(tenant, signal)
  return healthy
    ? fit('the tenant is active and healthy again')
    : broken(`it is active, and unhealthy: ${lastError ?? 'no reason is given'}`)
}

async function lookAfterwards(
  { service, signal }: ApiTrial,
  calls: TenantCalls,
  lease: DoctorLease,
  holder: string,
): Promise<StepOutcome> {
  const resumed = await calls.resume(lease)
  const wrong = wrongRefusal(resumed, 410, 'lease-expired')
  if (wrong !== null) return broken(`a resume: ${wrong}`)
  const { endedBy } = (resumed.json ?? {}) as { readonly endedBy?: unknown }
  if (endedBy !== 'expiry' || numberIn(resumed, 'heldMs') === null)
    return broken('the answer to a resume has no "endedBy": "expiry" with heldMs')
  const renewed = wrongRefusal(await calls.renew(lease, { fence: lease.fence }), 410, 'lease-expired')
  if (renewed !== null) return broken(`a renewal: ${renewed}`)
  return (await service.leases(signal)).some((one) => one.holder === holder)
    ? broken('the lease is still listed')
    : fit('the answers to a resume and a renewal report that it expired')
}
