/** I1.6: a triage while the service is restarted in its pauses, and while it hangs. */
import { readdirSync, readlinkSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { Report } from '../../../src/model/result/report.ts'
import { configure } from '../../support/cli/holdfast.ts'
import { eventually } from '../../support/processes.ts'
import { startDemo } from '../../support/service/demo-service.ts'

/** Empty for a descriptor that was closed meanwhile. */
const linkOf = (path: string): string => {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

const verdicts = ({ results }: Report): Readonly<Record<string, string>> =>
  Object.fromEntries(results.map(({ tenant, verdict }) => [tenant ?? '', verdict]))

test('a tenant whose pause met a restart is tried again; its snapshot does not count', async () => {
  await using demo = await startDemo({ tenants: 4, misbehave: 'restarts:acme@1,restarts:bolt@1,restarts:crate@1' })
  const holdfast = configure(demo)
  const { code, stdout } = await holdfast.run('triage', '--json', '--depth', 'quick')
  const report = JSON.parse(stdout) as Report
  expect([code, verdicts(report)]).toEqual([0, { acme: 'sound', bolt: 'sound', crate: 'sound', delta: 'sound' }])
  expect(report.run.stopped).toBeUndefined()
  const history = JSON.parse((await holdfast.run('history', '--json', 'acme')).stdout) as {
    readonly entries: readonly { readonly verdict: string; readonly failure: string | null }[]
  }
  expect(history.entries.map(({ verdict, failure }) => [verdict, failure])).toEqual([
    ['sound', null],
    ['inconclusive', 'LEASE_LOST'],
  ])
})

test('a service that hangs keeps only the files that it has open from a triage, and not for long', async () => {
  await using demo = await startDemo({ tenants: 4, load: 20, loaded: ['acme'], requestTimeoutMs: 1_000 })
  const holdfast = configure(demo, { requestTimeout: '1s' })
  expect((await holdfast.run('sweep')).code).toBe(0)
  await eventually('the load has opened acme again', () =>
    readdirSync(`/proc/${demo.pid}/fd`).some((fd) => linkOf(`/proc/${demo.pid}/fd/${fd}`) === demo.fileOf('acme')),
  )
  demo.program.kill('SIGSTOP')
  const began = performance.now()
  const { stdout } = await holdfast.run('triage', '--json')
  const ms = performance.now() - began
  demo.program.kill('SIGCONT')
  const report = JSON.parse(stdout) as Report
  expect(report.run.registry).toMatch(/^cached since /)
  expect(verdicts(report)).toEqual({ acme: 'failed', bolt: 'sound', crate: 'sound', delta: 'sound' })
  expect(report.results.find(({ tenant }) => tenant === 'acme')?.failure?.code).toMatch(/^(IN_USE|LOCK_BUSY)$/)
  expect(report.results.filter(({ verdict }) => verdict === 'sound').map(({ evidence }) => evidence.level)).toEqual([
    'sealed',
    'sealed',
    'sealed',
  ])
  expect(ms).toBeLessThan(90_000)
})
