/** Services that break the contract: what each says, and what a hold of its tenant must come to. */
import type { HoldSettings } from '../../../src/hold/hold.ts'
import type { FailureCode, TenantState } from '../../../src/model/failure.ts'

export interface MisbehaviourCase {
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

export const misbehaviourCases: readonly MisbehaviourCase[] = [
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
    says: 'quiesced, and restarts immediately',
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
    says: 'quiesced, and ends the lease immediately',
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
    message: /was not resumed when holdfast asked for it \(.*no answer within 300 ms/,
    exitCode: 3,
  },
  {
    says: 'no to a resume, until the lease has ended by itself',
    misbehave: 'refuses-resume',
    settings: { ttlMs: 1_500 },
    verdict: 'inconclusive',
    code: 'LEASE_LOST',
    state: 'active',
    message: /was not resumed when holdfast asked for it \(.*500.*\)/,
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
    says: 'that the tenant was not healthy already before',
    misbehave: 'unhealthy',
    verdict: 'sound',
    code: null,
    state: null,
    exitCode: 0,
  },
  {
    says: 'active, but not healthy since we resumed it',
    misbehave: 'unhealthy-after-resume',
    verdict: 'inconclusive',
    code: 'RESUME_FAILED',
    state: 'maybe-paused',
    message: /not healthy/,
    exitCode: 4,
    stops: 'RESUME_FAILED',
  },
]
