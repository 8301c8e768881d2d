/** The service breaks its promises in the pause of a change, which is the second pause of a tenant. */
import { describe, expect, it } from 'vitest'
import { openDamagedTenants } from '../support/remedies/damaged-tenants.ts'
import { shortRemedy, type PrintedRemedies } from '../support/remedies/remedy-run.ts'

/** With a shorter lease the guardian may end a run that only waits for the processor, beside other tests. */
const hold = '{ ttl: 6s, drainTimeout: 1s }'

interface Breach {
  readonly says: string
  /** Transfers a second; 20 if left out. */
  readonly load?: number
  readonly misbehave: string
  readonly codes: readonly number[]
  readonly state: readonly ('old' | 'new')[]
}

/**
 * In the second pause only: what was not changed is tried again, or what was changed is undone in a third. If the
 * tenant wrote since the change, the undo is refused: nothing that was acknowledged may be lost.
 */
const once: readonly Breach[] = [
  { says: 'it restarts in the pause', misbehave: 'restarts=5@2', codes: [0], state: ['new'] },
  { says: 'its lease ends in the pause', misbehave: 'lease-expires=1@2', codes: [0], state: ['new'] },
  {
    says: 'it stays down after the resume',
    load: 0,
    misbehave: 'unhealthy-after-resume@2',
    codes: [2],
    state: ['old'],
  },
  { says: 'it is unhealthy and writes', misbehave: 'unhealthy-after-resume@2', codes: [2], state: ['old', 'new'] },
  { says: 'it refuses the resume', misbehave: 'refuses-resume@2', codes: [0, 2, 4], state: ['old', 'new'] },
  { says: 'it never answers the resume', misbehave: 'never-answers-resume@2', codes: [0, 2, 4], state: ['old', 'new'] },
  { says: 'it never answers the quiesce', misbehave: 'never-answers@2', codes: [0, 3], state: ['old', 'new'] },
  { says: 'it was not paused without a break', misbehave: 'discontinuous@2', codes: [0, 2, 3], state: ['old', 'new'] },
]

/** In every pause but the first: nothing is changed. */
const always: readonly Breach[] = [
  { says: 'it restarts in each pause', misbehave: 'restarts=5@2+', codes: [3], state: ['old'] },
  { says: 'its lease ends in each pause', misbehave: 'lease-expires=1@2+', codes: [3], state: ['old'] },
  { says: 'it goes on writing in the pause', misbehave: 'keeps-writing@2+', codes: [3], state: ['old'] },
  { says: 'it keeps a handle open', misbehave: 'keeps-handles@2+', codes: [3], state: ['old'] },
  { says: 'it names another inode', misbehave: 'wrong-inode@2+', codes: [3], state: ['old'] },
  {
    says: 'it is down after the undo too',
    load: 0,
    misbehave: 'unhealthy-after-resume@2+',
    codes: [4],
    state: ['old'],
  },
  { says: 'it stays down and writes', misbehave: 'unhealthy-after-resume@2+', codes: [4], state: ['old', 'new'] },
]

describe.each([
  ['once', once],
  ['in each pause but the first', always],
] as const)('a service that breaks its promise %s', (when, breaches) => {
  it.concurrent.each(breaches)(
    '$says: the tenant is wholly old or wholly new, and the exit code says so',
    async ({ misbehave, load = 20, codes, state }) => {
      await using tenants = await openDamagedTenants({ damage: 'index', tenants: 1, load, hold, misbehave })
      await using run = tenants.holdfast.start('repair', '--tenant', 'acme', '--apply', '--json')
      const { code, signal, stdout, stderr } = await run.ended
      expect(stdout, `it ended with ${code ?? signal}: ${stderr}`).toMatch(/^\{/)
      const [result] = (JSON.parse(stdout) as PrintedRemedies).results
      const said = `${result && shortRemedy(result)}: ${result?.failure?.message ?? stdout.slice(0, 1_500)} ${stderr}`
      const now = tenants.state('acme')
      expect(state, `${now.why}; ${said}`).toContain(now.is)
      expect(codes, said).toContain(code)
      expect(tenants.leftovers(), said).toEqual([])
      if (when !== 'once') return
      await tenants.demo.servesAgain('acme', 12_000)
      const next = await tenants.holdfast.run('repair', '--tenant', 'acme', '--apply', '--json')
      expect(next.code, next.stderr).toBe(0)
      expect(tenants.state('acme')).toEqual({ is: 'new', why: '' })
      if (load > 0) await tenants.demo.stopAndVerify()
    },
  )
})
