/** What /proc says of a running program. */
import { userInfo } from 'node:os'
import { expect, test } from 'vitest'
import { programFactsOf, unitIn } from '../../../src/host/programs/program-facts.ts'

test.each([
  ['0::/system.slice/vault.service\n', 'vault.service'],
  ['0::/system.slice/system-forge.slice/forge@eu.service/worker\n', 'forge@eu.service'],
  ['12:cpu:/\n1:name=systemd:/system.slice/vault.service\n0::/system.slice/other.service\n', 'vault.service'],
  ['0::/user.slice/user-1000.slice/user@1000.service/app.slice/budget.service\n', null],
  ['0::/system.slice/docker-0123.scope\n', null],
  ['0::/system.slice/a b.service\n', null],
  ['0::/system.slice/$(reboot).service\n', null],
  ['0::/system.slice/-x.service\n', null],
  ['0::/\n', null],
  ['', null],
])('the unit in %j is %s', (cgroup, unit) => {
  expect(unitIn(cgroup)).toBe(unit)
})

test('this process has a command and a user, and one that is gone has none', async () => {
  expect(await programFactsOf(process.pid)).toMatchObject({
    pid: process.pid,
    command: expect.stringContaining('node') as string,
    user: userInfo().username,
  })
  expect(await programFactsOf(4_194_999)).toEqual({ pid: 4_194_999, command: '?', user: null, unit: null })
})
