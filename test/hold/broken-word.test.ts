/**
 * A service that does not keep its word (hold/README.md, "What can go wrong"): a real process lies over a real socket.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tenantName } from '../../scripts/demo/names.ts'
import { openUnlockedCheck, type UnlockedCheck } from '../support/hold/expect-unlocked.ts'
import { openHoldFixture, type HoldFixture } from '../support/hold/hold-fixture.ts'
import { lies, type ServiceLie } from '../support/hold/service-lies.ts'
import { startDemo, type Demo } from '../support/service/demo-service.ts'

/** Every lie has a tenant of its own, in one service; every third tenant of the demo keeps a rollback journal. */
const tenants = Array.from({ length: 3 * lies.length }, (_, at) => tenantName(at))
const tenantOf = (lie: ServiceLie): string =>
  tenants[lies.indexOf(lie) * 3 + (lie.journal === 'rollback' ? 2 : 0)] ?? ''
const switchOf = (lie: ServiceLie): string => `${lie.misbehave}:${tenantOf(lie)}`

describe('a service that says', () => {
  let fixture: HoldFixture
  let liar: Demo
  let unlocked: UnlockedCheck
  beforeAll(async () => {
    fixture = await openHoldFixture()
    liar = await startDemo({
      tenants: tenants.length,
      bytes: 20_000,
      maxPaused: lies.length,
      misbehave: lies
        .filter(({ alone }) => !alone)
        .map(switchOf)
        .join(','),
    })
    unlocked = await openUnlockedCheck()
  })
  afterAll(async () => {
    await unlocked[Symbol.asyncDispose]()
    await liar[Symbol.asyncDispose]()
    await fixture[Symbol.asyncDispose]()
  })

  it.concurrent.each(lies)('$says', async (lie) => {
    const tenant = tenantOf(lie)
    await using own = lie.alone ? await startDemo({ tenants: 3, misbehave: lie.misbehave }) : null
    const demo = own ?? liar
    await using hasty = lie.requestTimeoutMs === undefined ? null : await demo.connect(lie.requestTimeoutMs)
    const { result, exitCode, stopped, open } = await fixture.examine(
      { ...demo, service: hasty ?? demo.service } satisfies Demo,
      own ? 'acme' : tenant,
      { settings: { ...lie.settings } },
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
      verdict: lie.verdict,
      code: lie.code,
      state: lie.state,
      exitCode: lie.exitCode,
      stops: lie.stops ?? null,
    })
    if (lie.message) expect(failure?.message).toMatch(new RegExp(lie.message.source.replace('PID', String(demo.pid))))
    // A tenant that is not healthy afterwards stays in the ledger, for `holdfast resume` to check again.
    expect(open.length).toBe(lie.code === 'RESUME_FAILED' ? 1 : 0)
    expect((await demo.status(own ? 'acme' : tenant)).state).toBe('active')
    expect((await demo.service.leases(AbortSignal.timeout(60_000))).filter((lease) => lease.tenant === tenant)).toEqual(
      [],
    )
    await unlocked.expect(demo.fileOf(own ? 'acme' : tenant))
  })
})
