/** Idempotency: a request that is repeated gets its first answer, and pauses no tenant. */

import { randomUUID } from 'node:crypto'
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
import { describeAnswer, isRefusedForNow, isSame, numberIn, wrongRefusal } from './judge-answer.ts'
import { leaseIn, TenantCalls } from './tenant-calls.ts'

/** A quiesce that was granted with a key, and what is needed to repeat it. */
interface KeyedLease {
  readonly trial: ApiTrial
  readonly calls: TenantCalls
  readonly holder: string
  readonly key: string
  readonly terms: object
  /** The first answer. */
  readonly first: WireAnswer
  readonly lease: DoctorLease
  /** Fence of the lease before. */
  readonly fenceBefore: number | null
  /** Until when the lease must stand, on the clock of `performance`. */
  readonly surelyUntil: number
}

export async function tryIdempotencyKeys(
  trial: ApiTrial,
  { quiesced: { fence: fenceBefore } }: FirstHold,
): Promise<readonly DoctorStep[]> {
  const calls = new TenantCalls(trial)
  const { ttlMs } = trial.settings.hold
  const held = await DoctorHold.announce(trial, ttlMs)
  const { holder } = held
  const key = randomUUID()
  const terms = calls.terms(holder, ttlMs)
  const steps: DoctorStep[] = []
  let lease: DoctorLease | null = null
  try {
    const askedAt = performance.now()
    const first = await attempt(() => calls.quiesce(terms, { key }))
    lease = first instanceof Failure ? null : leaseIn(first)
    steps.push({ about: 'service: quiesce with a key', ...judgeQuiesced(first, lease) })
    if (first instanceof Failure || lease === null) return steps
    const surelyUntil = askedAt + (numberIn(first, 'expiresInMs') ?? ttlMs)
    const keyed = { trial, calls, holder, key, terms, first, lease, fenceBefore, surelyUntil }
    steps.push(...(await tryWhileLeased(keyed)), ...(await tryAfterResume(keyed)))
    return steps
  } finally {
    // If the service granted a second lease to the same holder, it is found and ended too.
    const stillPaused = (await held.end(lease)) ?? (await endOthers(trial, holder))
    if (stillPaused) steps.push(unfit('service: resume after the keys', stillPaused))
  }
}

async function tryWhileLeased(keyed: KeyedLease): Promise<readonly DoctorStep[]> {
  const { calls, key, terms, first, lease, fenceBefore } = keyed
  return [
    await tryInTime(keyed, 'service: the fence grows', async () =>
      (lease.fence ?? 0) > (fenceBefore ?? 0)
        ? fit(`${lease.fence}, after ${fenceBefore}`)
        : broken(`the fence is ${lease.fence}, and that of the lease before was ${fenceBefore}`),
    ),
    await tryInTime(keyed, 'service: the same key again', async () => {
      const second = await calls.quiesce(terms, { key })
      if (isSame(first, second)) return fit('answered as before, and no second lease')
      return broken(
        leaseIn(second)
          ? 'it was answered with another lease or other fields, not with the answer of before'
          : `it was answered ${describeAnswer(second)}, not with the answer of before`,
      )
    }),
    await tryInTime(keyed, 'service: a key with another request', async () => {
      const answer = await calls.quiesce({ ...terms, reason: 'another request' }, { key })
      const wrong = wrongRefusal(answer, 422, 'idempotency-key-reused')
      return wrong === null ? fit('refused') : broken(wrong)
    }),
  ]
}

async function tryAfterResume(keyed: KeyedLease): Promise<readonly DoctorStep[]> {
  const { calls, lease } = keyed
  const resumed = await attempt(() => calls.resume(lease))
  return [
    await tryInTime(keyed, 'service: the answer to a resume', () => Promise.resolve(judgeResumed(resumed))),
    await tryInTime(keyed, 'service: resume again', async () => {
      const second = await calls.resume(lease)
      return resumed instanceof Failure || !isSame(resumed, second)
        ? broken(`it was answered ${describeAnswer(second)}, not with the answer of before`)
        : fit('answered as before')
    }),
    await tryInTime(keyed, 'service: the key of a lease that ended', () => tryEndedKey(keyed)),
    await tryInTime(keyed, 'service: renewal of a lease that ended', async () => {
      const wrong = wrongRefusal(await calls.renew(lease, { fence: lease.fence }), 410, 'lease-expired')
      return wrong === null ? fit('refused') : broken(wrong)
    }),
  ]
}

async function tryEndedKey({ trial, calls, holder, key, terms, first }: KeyedLease): Promise<StepOutcome> {
  const third = await calls.quiesce(terms, { key })
  const state = await calls.state()
  if (state !== 'active') return broken(`it paused the tenant again: its state is ${state}`)
  if ((await trial.service.leases(trial.signal)).some((one) => one.holder === holder))
    return broken('it made a second lease')
  return isSame(first, third)
    ? fit('answered as before, and the tenant is not paused')
    : broken(`it was answered ${describeAnswer(third)}, not with the answer of before`)
}

/** A step that does not fit is skipped if the lease may have ended before it was over. */
async function tryInTime(
  { trial, surelyUntil }: KeyedLease,
  about: string,
  work: () => Promise<StepOutcome>,
): Promise<DoctorStep> {
  const found = await step(about, work)
  return found.outcome === 'fit' || performance.now() < surelyUntil
    ? found
    : skipped(about, tooSlow(trial.settings.hold.ttlMs), 'raise hold.ttl')
}

function judgeQuiesced(said: WireAnswer | Failure, lease: DoctorLease | null): StepOutcome {
  if (said instanceof Failure) return unfitFor(said.withTenant('active'))
  if (isRefusedForNow(said)) return notTried(`the service refused it for now: ${describeAnswer(said)}`)
  return lease === null ? broken(`it was answered ${describeAnswer(said)}, not 201 with a lease`) : fit('a new lease')
}

function judgeResumed(said: WireAnswer | Failure): StepOutcome {
  if (said instanceof Failure) return unfitFor(said.withTenant('active'))
  const { state, continuous, endedBy } = (said.json ?? {}) as Partial<Record<string, unknown>>
  if (said.status !== 200 || state !== 'active' || continuous !== true || endedBy !== 'holder')
    return broken(
      `it was answered ${describeAnswer(said)}, not 200 with "state": ` +
        '"active", "continuous": true, "endedBy": "holder"',
    )
  return (numberIn(said, 'heldMs') ?? -1) >= 0
    ? fit('active, continuous, ended by its holder')
    : broken('it does not say how long the tenant was held')
}

/** Ends leases that a repeated key made against the contract. @returns null if none is left */
async function endOthers(trial: ApiTrial, holder: string): Promise<Failure | null> {
  const { service, signal } = trial
  const calls = new TenantCalls(trial)
  for (let round = 0; round < 5; round++) {
    const others = await attempt(() => service.leases(signal))
    const [other] = others instanceof Failure ? [] : others.filter((lease) => lease.holder === holder)
    if (!other) return null
    await attempt(() => calls.resume(other))
  }
  return new Failure('RESUME_FAILED', `new leases of ${holder} appear again and again`)
}
