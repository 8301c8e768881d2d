/**
 * A service that breaks the contract (hold/README.md, "What can go wrong"): a real process gives false answers over a
 * real socket.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tenantName } from '../../scripts/demo/names.ts'
import { openUnlockedCheck, type UnlockedCheck } from '../support/hold/expect-unlocked.ts'
import { openHoldFixture, type HoldFixture } from '../support/hold/hold-fixture.ts'
import { misbehaviourCases, type MisbehaviourCase } from '../support/hold/misbehaviour-cases.ts'
import { startDemo, type Demo } from '../support/service/demo-service.ts'

/** Every behaviour has a tenant of its own, in one service; every third tenant of the demo keeps a rollback journal. */
const tenants = Array.from({ length: 3 * misbehaviourCases.length }, (_, at) => tenantName(at))
const tenantOf = (behaviour: MisbehaviourCase): string =>
  tenants[misbehaviourCases.indexOf(behaviour) * 3 + (behaviour.journal === 'rollback' ? 2 : 0)] ?? ''
const switchOf = (behaviour: MisbehaviourCase): string => `${behaviour.misbehave}:${tenantOf(behaviour)}`

describe('a service that says', () => {
  let fixture: HoldFixture
  let shared: Demo
  let unlocked: UnlockedCheck
  beforeAll(async () => {
    fixture = await openHoldFixture()
    shared = await startDemo({
      tenants: tenants.length,
      bytes: 20_000,
      maxPaused: misbehaviourCases.length,
      misbehave: misbehaviourCases
        .filter(({ alone }) => !alone)
        .map(switchOf)
        .join(','),
    })
    unlocked = await openUnlockedCheck()
  })
  afterAll(async () => {
    await unlocked[Symbol.asyncDispose]()
    await shared[Symbol.asyncDispose]()
    await fixture[Symbol.asyncDispose]()
  })

  it.concurrent.each(misbehaviourCases)('$says', async (behaviour) => {
    const tenant = tenantOf(behaviour)
    await using own = behaviour.alone ? await startDemo({ tenants: 3, misbehave: behaviour.misbehave }) : null
    const demo = own ?? shared
    await using hasty = behaviour.requestTimeoutMs === undefined ? null : await demo.connect(behaviour.requestTimeoutMs)
    const { result, exitCode, stopped, open } = await fixture.examine(
      { ...demo, service: hasty ?? demo.service } satisfies Demo,
      own ? 'acme' : tenant,
      { settings: { ...behaviour.settings } },
    )

    expect(result).not.toBeNull()
    const { verdict, failure } = result!
    expect(
      {
        verdict,
        code: failure?.code ?? null,
        state: failure?.tenantState ?? null,
        exitCode,
        stops: stopped?.code ?? null,
      },
      failure?.message,
    ).toEqual({
      verdict: behaviour.verdict,
      code: behaviour.code,
      state: behaviour.state,
      exitCode: behaviour.exitCode,
      stops: behaviour.stops ?? null,
    })
    if (behaviour.message)
      expect(failure?.message).toMatch(new RegExp(behaviour.message.source.replace('PID', String(demo.pid))))
    // A tenant that is not healthy afterwards stays in the ledger, for `holdfast resume` to check again.
    expect(open.length).toBe(behaviour.code === 'RESUME_FAILED' ? 1 : 0)
    expect((await demo.status(own ? 'acme' : tenant)).state).toBe('active')
    expect((await demo.service.leases(AbortSignal.timeout(60_000))).filter((lease) => lease.tenant === tenant)).toEqual(
      [],
    )
    await unlocked.expect(demo.fileOf(own ? 'acme' : tenant))
  })
})
