/** What `doctor` says on a host of a fleet. The database is no part of what makes the host fit. */
import { expect, test } from 'vitest'
import { configure } from '../../support/cli/holdfast.ts'
import { startDemo } from '../../support/service/demo-service.ts'

test('a slot outlasts its pause, and a database that is away is a warning', async () => {
  await using demo = await startDemo({ tenants: 1, bytes: 20_000 })
  const holdfast = configure(demo, { more: ['fleet: { database: "postgres:///fleet?host=/nowhere" }'] })
  const { code, stdout } = await holdfast.run('doctor', '--json')
  const { steps } = JSON.parse(stdout) as { readonly steps: readonly Record<string, unknown>[] }
  expect(code).toBe(0)
  expect(steps.filter(({ about }) => String(about).startsWith('fleet'))).toEqual([
    {
      about: 'fleet.expiry',
      outcome: 'fit',
      said: expect.stringMatching(
        /^a slot is freed after 1 min 30 s, and a pause has ended within 42\.0 s\. holdfast does not try/,
      ),
      next: null,
    },
    {
      about: 'fleet.database',
      outcome: 'warning',
      said: expect.stringMatching(/^FLEET_UNREACHABLE: the database of the fleet \(postgres:.*no such file/),
      next: expect.stringContaining('this host reaches it'),
    },
  ])
})
