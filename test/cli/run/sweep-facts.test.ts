/** What `status` and alarms judge absences by, as the program reads it. */
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { holdfast } from '../../support/cli/program.ts'
import { openService } from '../../support/cli/service.ts'

test('a list that reconcile got ends the alarm of status that there is none', async () => {
  let listed = true
  await using service = await openService({ isListed: () => listed })
  const ask = (...args: readonly string[]): ReturnType<typeof holdfast> =>
    holdfast([...args, '--config', service.config])
  expect((await ask('sweep')).code).toBe(0)
  listed = false
  rmSync(join(service.ledger, readdirSync(service.ledger).find((name) => name.startsWith('registry-')) ?? 'none'))
  expect((await ask('sweep')).code).toBe(1)
  const status = async (): Promise<string> => (await ask('status', '--format', 'monit')).stdout
  expect(await status()).toMatch(/^HOLDFAST CRITICAL - STALE the service gives no list of tenants/)
  listed = true
  expect((await ask('reconcile')).code).toBe(0)
  expect(await status()).not.toContain('list of tenants')
})
