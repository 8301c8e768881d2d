/** Idempotency: what is asked again gets the answer that it had, and nobody is paused by it. */

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

export async function tryIdempotencyKeys(
  trial: ApiTrial,
  { quiesced: { fence: fenceBefore } }: FirstHold,
): Promise<readonly DoctorStep[]> {
  const {
    service,
    settings: { hold },
    signal,
  } = trial
  const calls = new TenantCalls(trial)
  const { ttlMs } = hold
  const held = await DoctorHold.announce(trial, ttlMs)
  const key = randomUUID()
  const terms = calls.terms(held.holder, ttlMs)
  const again = (): Promise<WireAnswer> => calls.quiesce(terms, { key })
  const steps: DoctorStep[] = []
  let surelyUntil = Infinity
  const tried = async (about: string, look: () => Promise<StepOutcome>): Promise<void> => {
    const found = await step(about, look)
    steps.push(
      found.outcome === 'fit' || performance.now() < surelyUntil
        ? found
        : skipped(about, tooSlow(ttlMs), 'raise hold.ttl'),
    )
  }
  let lease: DoctorLease | null = null
  try {
    const askedAt = performance.now()
    const first = await attempt(() => calls.quiesce(terms, { key }))
    lease = first instanceof Failure ? null : leaseIn(first)
    steps.push({ about: 'service: quiesce with a key', ...judgeQuiesced(first, lease) })
    if (first instanceof Failure || lease === null) return steps
    const { leaseId, fence } = lease
    surelyUntil = askedAt + (numberIn(first, 'expiresInMs') ?? ttlMs)
    await tried('service: the fence grows', async () =>
      (fence ?? 0) > (fenceBefore ?? 0)
        ? fit(`${fence}, after ${fenceBefore}`)
        : broken(`the fence is ${fence}, and that of the lease before was ${fenceBefore}`),
    )
    await tried('service: the same key again', async () => {
      const second = await again()
      if (!isSame(first, second))
        return broken(
          leaseIn(second)
            ? 'it was answered with another lease or other fields, not with the answer of before'
            : `it was answered ${describeAnswer(second)}, not with the answer of before`,
        )
      return fit('answered as before, and no second lease')
    })
    await tried('service: a key with another request', async () => {
      const wrong = wrongRefusal(
        await calls.quiesce({ ...terms, reason: 'another request' }, { key }),
        422,
        'idempotency-key-reused',
      )
      return wrong === null ? fit('refused') : broken(wrong)
    })
    const resumed = await attempt(() => calls.resume({ leaseId, fence }))
    await tried('service: the answer to a resume', () => Promise.resolve(judgeResumed(resumed)))
    await tried('service: resume again', async () => {
      const second = await calls.resume({ leaseId, fence })
      return resumed instanceof Failure || !isSame(resumed, second)
        ? broken(`it was answered ${describeAnswer(second)}, not with the answer of before`)
        : fit('answered as before')
    })
    await tried('service: the key of a lease that ended', async () => {
      const third = await again()
      const state = await calls.state()
      if (state !== 'active') return broken(`it paused the tenant again: its state is ${state}`)
      if ((await service.leases(signal)).some(({ holder }) => holder === held.holder))
        return broken('it made a second lease')
      return isSame(first, third)
        ? fit('answered as before, and nobody is paused')
        : broken(`it was answered ${describeAnswer(third)}, not with the answer of before`)
    })
    await tried('service: renewal of a lease that ended', async () => {
      const wrong = wrongRefusal(await calls.renew({ leaseId, fence }, { fence }), 410, 'lease-expired')
      return wrong === null ? fit('refused') : broken(wrong)
    })
    return steps
  } finally {
    // A second lease under the same holder is sought and ended too.
    const stillPaused = (await held.end(lease)) ?? (await endOthers(trial, held.holder))
    if (stillPaused) steps.push(unfit('service: resume after the keys', stillPaused))
  }
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

/** Ends leases that a key made against the contract. @returns null once none of them stands */
async function endOthers(trial: ApiTrial, holder: string): Promise<Failure | null> {
  const { service, signal } = trial
  const calls = new TenantCalls(trial)
  for (let round = 0; round < 5; round++) {
    const others = await attempt(() => service.leases(signal))
    const [other] = others instanceof Failure ? [] : others.filter((lease) => lease.holder === holder)
    if (!other) return null
    await attempt(() => calls.resume(other))
  }
  return new Failure('RESUME_FAILED', `leases of ${holder} stand again and again`)
}
