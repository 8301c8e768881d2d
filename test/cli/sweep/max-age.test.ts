/** `sweep --max-age`: which tenants are left out, what makes one due again, and what the report says of them. */
import { utimesSync, statSync } from 'node:fs'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import type { Report } from '../../../src/model/result/report.ts'
import { makeDatabase } from '../../support/cli/folder.ts'
import { holdfast, reportIn } from '../../support/cli/program.ts'
import { openService, type TestService } from '../../support/cli/service.ts'

const swept = async (service: TestService, ...args: readonly string[]): Promise<Report> =>
  reportIn(await holdfast(['sweep', '--json', '--config', service.config, ...args]))
const tenantsOf = ({ results }: Report): unknown => results.map(({ tenant }) => String(tenant)).toSorted()

/** As the service itself would: in a connection beside its own. */
function write(path: string, sql = 'create table if not exists written (at)'): void {
  const database = new Database(path)
  database.exec(sql)
  database.close()
}

test('a tenant with a younger full check is left out until its file changes; nothing due is 0', async () => {
  await using service = await openService()
  expect((await swept(service, '--max-age', '24h')).summary).toMatchObject({ selected: 2, sound: 2 })
  const again = await swept(service, '--max-age', '24h')
  expect([again.results, again.summary]).toEqual([
    [],
    { selected: 0, sound: 0, damaged: 0, inconclusive: 0, failed: 0, notCovered: 0, notDue: 2, exitCode: 0 },
  ])
  const text = await holdfast(['sweep', '--max-age', '24h', '--config', service.config])
  expect([text.code, text.stdout]).toEqual([0, expect.stringMatching(/2 not due, because an earlier check\s+still/)])
  // No tenant was touched, and the sweep is a full one.
  expect(service.actions.filter((action) => action.startsWith('close'))).toHaveLength(2)
  expect((await holdfast(['status', '--format', 'monit', '--config', service.config])).stdout).toMatch(/^HOLDFAST OK/)

  write(`${service.data}/acme.db`)
  const changed = await swept(service, '--max-age', '24h')
  expect([tenantsOf(changed), changed.summary.notDue]).toEqual([['acme'], 1])
  expect(tenantsOf(await swept(service, '--max-age', '24h'))).toEqual([])
  expect(tenantsOf(await swept(service, '--max-age', '1ms'))).toEqual(['acme', 'bolt'])
  expect(tenantsOf(await swept(service))).toEqual(['acme', 'bolt'])
})

test('the change counter counts where the time of the file was set back', async () => {
  await using service = await openService({
    tenants: (data) => ({ acme: makeDatabase(`${data}/acme.db`) }),
    settings: { sweep: { maxAge: '24h' } },
  })
  const file = `${service.data}/acme.db`
  await swept(service)
  expect(tenantsOf(await swept(service))).toEqual([])
  const { atimeNs, mtimeNs } = statSync(file, { bigint: true })
  write(file, "update notes set title = 'TITLE 7' where id = 8") // The size stays the same.
  utimesSync(file, Number(atimeNs) / 1e9, Number(mtimeNs) / 1e9)
  expect(tenantsOf(await swept(service))).toEqual(['acme'])
  expect(tenantsOf(await swept(service, '--max-age', '0s'))).toEqual(['acme'])
})

test('a quick check makes no tenant fresh, and does not take the place of the full one', async () => {
  await using service = await openService()
  await swept(service, '--depth', 'quick')
  expect((await swept(service, '--max-age', '24h')).summary).toMatchObject({ selected: 2, sound: 2 })
  await swept(service, '--depth', 'quick')
  expect((await swept(service, '--max-age', '24h')).summary).toMatchObject({ selected: 0, notDue: 2 })
})

test('all files of a tenant are checked if one of them is due', async () => {
  await using service = await openService({ tenants: (data) => ({ acme: [`${data}/a.db`, `${data}/b.db`] }) })
  await swept(service)
  write(`${service.data}/b.db`)
  const { results, summary } = await swept(service, '--max-age', '24h')
  expect([results.length, summary.notDue]).toEqual([2, undefined])
})

test('a failed check makes a tenant due, although an older one was sound', async () => {
  let refuses = false
  await using service = await openService({
    onClose: (id) => {
      if (refuses && id === 'acme') throw new Error('made by the test')
    },
  })
  await swept(service)
  refuses = true
  expect((await swept(service)).summary.sound).toBe(1)
  refuses = false
  expect(tenantsOf(await swept(service, '--max-age', '24h'))).toEqual(['acme'])
})
