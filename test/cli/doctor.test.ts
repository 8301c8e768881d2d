/** `doctor --tenant` tries the contract step by step: a service that breaks it is told which step, and the tenant serves afterwards. */
import { expect, test } from 'vitest'
import { configure } from '../support/holdfast.ts'
import { startDemo } from '../support/service.ts'

const lies = [
  ['keeps-handles', 'service: files while quiesced', /is not closed: process \d+ \(node/], ['wrong-inode', 'service: files while quiesced', /we see inode/],
  ['discontinuous', 'service: resume', /continuous/],
] as const

test.each(lies)('a service that tells a lie (%s) is unfit: 1, and the step says why', async (lie, about, why) => {
  await using demo = await startDemo({ tenants: 1, bytes: 20_000, misbehave: lie })
  const { code, stdout, stderr } = await configure(demo, { hold: '{ ttl: 3s }' }).run('doctor', '--tenant', 'acme', '--json')
  const { steps } = JSON.parse(stdout) as { readonly steps: readonly { readonly about: string; readonly outcome: string; readonly said: string }[] }
  const [first] = steps.filter(({ outcome }) => outcome === 'unfit')
  expect([code, first?.about, first?.said], stderr).toEqual([1, about, expect.stringMatching(why)])
  await demo.servesAgain('acme', 5_000)
})

test('a service that does not take a tenant up again is told apart: 4', async () => {
  await using demo = await startDemo({ tenants: 1, bytes: 20_000, misbehave: 'unknown-lease' })
  const { code, stdout } = await configure(demo, { hold: '{ ttl: 3s }' }).run('doctor', '--tenant', 'acme')
  expect([code, stdout]).toEqual([4, expect.stringMatching(/RESUME_FAILED[^]*holdfast resume --all/)])
  await demo.servesAgain('acme', 5_000)
})
