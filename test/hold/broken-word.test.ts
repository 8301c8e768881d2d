/**
 * hold/README.md, "What can go wrong": a service that does not keep its word. Each is a real process that lies over a
 * real socket.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tenantName } from '../../scripts/demo/names.ts'
import type { HoldSettings } from '../../src/hold/hold.ts'
import type { FailureCode, TenantState } from '../../src/model/failure.ts'
import { openFreedom, type Freedom } from '../support/hold/expect-unlocked.ts'
import { openWorkplace, type Workplace } from '../support/hold/hold-fixture.ts'
import { startDemo, type Demo } from '../support/service/demo-service.ts'

interface Lie {
  readonly says: string
  readonly misbehave: string
  /** WAL when left out. */
  readonly journal?: 'rollback'
  readonly requestTimeoutMs?: number
  readonly settings?: Partial<HoldSettings>
  readonly verdict: 'sound' | 'inconclusive' | 'failed'
  readonly code: FailureCode | null
  readonly state: TenantState | null
  readonly message?: RegExp
  readonly exitCode: number
  readonly stops?: FailureCode
  /** It would disturb the other tenants of its service. */
  readonly alone?: boolean
}

const lies: readonly Lie[] = [
  {
    says: 'quiesced, and goes on writing (WAL)',
    misbehave: 'keeps-writing',
    verdict: 'inconclusive',
    code: 'CONTRACT_BROKEN',
    state: 'active',
    message: /process PID \(.*\)/,
    exitCode: 3,
  },
  {
    says: 'quiesced, and goes on writing (rollback journal)',
    misbehave: 'keeps-writing',
    journal: 'rollback',
    verdict: 'inconclusive',
    code: 'CONTRACT_BROKEN',
    state: 'active',
    message: /PID/,
    exitCode: 3,
  },
  {
    says: 'no open handles, and keeps one (WAL: its lock shows it)',
    misbehave: 'keeps-handles',
    verdict: 'inconclusive',
    code: 'CONTRACT_BROKEN',
    state: 'active',
    message: /PID/,
    exitCode: 3,
  },
  {
    says: 'no open handles, and keeps an idle one (rollback journal: only the kernel knows)',
    misbehave: 'keeps-handles',
    journal: 'rollback',
    verdict: 'inconclusive',
    code: 'CONTRACT_BROKEN',
    state: 'active',
    message: /PID/,
    exitCode: 3,
  },
  {
    says: 'another inode than that of the file',
    misbehave: 'wrong-inode',
    verdict: 'inconclusive',
    code: 'CONTRACT_BROKEN',
    state: 'active',
    message: /inode/,
    exitCode: 3,
  },
  {
    says: 'another file than the one asked for',
    misbehave: 'outside-roots',
    verdict: 'inconclusive',
    code: 'CONTRACT_BROKEN',
    state: 'active',
    message: /did not name/,
    exitCode: 3,
  },
  {
    says: 'quiesced, and restarts at once',
    misbehave: 'restarts',
    alone: true,
    verdict: 'inconclusive',
    code: 'LEASE_LOST',
    state: 'active',
    message: /restarted/,
    exitCode: 3,
  },
  {
    says: 'quiesced, and shows another boot id at the resume',
    misbehave: 'new-boot-id',
    verdict: 'inconclusive',
    code: 'LEASE_LOST',
    state: 'active',
    message: /restarted/,
    exitCode: 3,
  },
  {
    says: 'that it did not stand still all the time',
    misbehave: 'discontinuous',
    verdict: 'inconclusive',
    code: 'LEASE_LOST',
    state: 'active',
    exitCode: 3,
  },
  {
    says: 'quiesced, and ends the lease at once',
    misbehave: 'lease-expires',
    verdict: 'inconclusive',
    code: 'LEASE_LOST',
    state: 'active',
    exitCode: 3,
  },
  {
    says: 'that it never knew our lease',
    misbehave: 'unknown-lease',
    settings: { ttlMs: 1_000 },
    verdict: 'inconclusive',
    code: 'LEASE_LOST',
    state: 'active',
    exitCode: 3,
  },
  {
    says: 'nothing the first time, though it did what was asked',
    misbehave: 'loses-replies',
    verdict: 'sound',
    code: null,
    state: null,
    exitCode: 0,
  },
  { says: 'everything late', misbehave: 'slow=700', verdict: 'sound', code: null, state: null, exitCode: 0 },
  {
    says: 'nothing to a quiesce, though it quiesced',
    misbehave: 'never-answers',
    requestTimeoutMs: 300,
    settings: { drainTimeoutMs: 100 },
    verdict: 'inconclusive',
    code: 'ADMIN_UNREACHABLE',
    state: 'active',
    message: /no answer within 300 ms/,
    exitCode: 3,
  },
  {
    says: 'nothing to a resume, though it resumed',
    misbehave: 'never-answers-resume',
    requestTimeoutMs: 300,
    settings: { ttlMs: 1_500 },
    verdict: 'inconclusive',
    code: 'LEASE_LOST',
    state: 'active',
    message: /was not resumed when we asked for it \(.*no answer within 300 ms/,
    exitCode: 3,
  },
  {
    says: 'no to a resume, until the lease has ended by itself',
    misbehave: 'refuses-resume',
    settings: { ttlMs: 1_500 },
    verdict: 'inconclusive',
    code: 'LEASE_LOST',
    state: 'active',
    message: /was not resumed when we asked for it \(.*500.*\)/,
    exitCode: 3,
  },
  {
    says: 'garbage to a quiesce',
    misbehave: 'garbage',
    verdict: 'inconclusive',
    code: 'CONTRACT_BROKEN',
    state: 'active',
    exitCode: 3,
  },
  {
    says: 'that a restore is under way',
    misbehave: 'busy',
    verdict: 'inconclusive',
    code: 'SERVICE_BUSY',
    state: 'untouched',
    exitCode: 3,
  },
  {
    says: 'that we may not',
    misbehave: 'denies',
    verdict: 'failed',
    code: 'ADMIN_REFUSED',
    state: 'untouched',
    exitCode: 1,
  },
  {
    says: 'that it cannot close its handles',
    misbehave: 'close-fails',
    verdict: 'failed',
    code: 'ADMIN_REFUSED',
    state: 'active',
    exitCode: 1,
  },
  {
    says: 'that requests do not drain',
    misbehave: 'long-job=20000',
    settings: { drainTimeoutMs: 200 },
    verdict: 'inconclusive',
    code: 'QUIESCE_TIMEOUT',
    state: 'active',
    exitCode: 3,
  },
  { says: 'too many twice, then yes', misbehave: 'limit', verdict: 'sound', code: null, state: null, exitCode: 0 },
  {
    says: 'that the tenant was unwell already',
    misbehave: 'unhealthy',
    verdict: 'sound',
    code: null,
    state: null,
    exitCode: 0,
  },
  {
    says: 'active, but unwell since we resumed it',
    misbehave: 'unhealthy-after-resume',
    verdict: 'inconclusive',
    code: 'RESUME_FAILED',
    state: 'maybe-paused',
    message: /not healthy/,
    exitCode: 4,
    stops: 'RESUME_FAILED',
  },
]

/** Every lie has a tenant of its own, in one service; every third tenant of the demo keeps a rollback journal. */
const tenants = Array.from({ length: 3 * lies.length }, (_, at) => tenantName(at))
const tenantOf = (lie: Lie): string => tenants[lies.indexOf(lie) * 3 + (lie.journal === 'rollback' ? 2 : 0)] ?? ''
const switchOf = (lie: Lie): string => `${lie.misbehave}:${tenantOf(lie)}`

describe('a service that says', () => {
  let place: Workplace
  let liar: Demo
  let freedom: Freedom
  beforeAll(async () => {
    place = await openWorkplace()
    liar = await startDemo({
      tenants: tenants.length,
      bytes: 20_000,
      maxPaused: lies.length,
      misbehave: lies
        .filter(({ alone }) => !alone)
        .map(switchOf)
        .join(','),
    })
    freedom = await openFreedom()
  })
  afterAll(async () => {
    await freedom[Symbol.asyncDispose]()
    await liar[Symbol.asyncDispose]()
    await place[Symbol.asyncDispose]()
  })

  it.concurrent.each(lies)('$says', async (lie) => {
    const tenant = tenantOf(lie)
    await using own = lie.alone ? await startDemo({ tenants: 3, misbehave: lie.misbehave }) : null
    const demo = own ?? liar
    await using hasty = lie.requestTimeoutMs === undefined ? null : await demo.connect(lie.requestTimeoutMs)
    const { result, exitCode, stopped, open } = await place.examine(
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
    // A tenant that came back unwell stays in the ledger, for `holdfast resume` to look at again.
    expect(open.length).toBe(lie.code === 'RESUME_FAILED' ? 1 : 0)
    expect((await demo.status(own ? 'acme' : tenant)).state).toBe('active')
    expect((await demo.service.leases(AbortSignal.timeout(5_000))).filter((lease) => lease.tenant === tenant)).toEqual(
      [],
    )
    await freedom.expect(demo.fileOf(own ? 'acme' : tenant))
  })
})
