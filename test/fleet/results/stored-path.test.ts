/** Files whose names are not UTF-8: two of them are two, in the outbox and in the fleet's database. */
import { expect, test } from 'vitest'
import { registerOwnPlaces } from '../../../src/fleet/agent/place-registration.ts'
import { weekOf } from '../../../src/fleet/jobs/week-of-run.ts'
import { doneFiles } from '../../../src/fleet/results/done-files.ts'
import { doneKey } from '../../../src/fleet/results/done-key.ts'
import { outgoingResult } from '../../../src/fleet/results/outgoing-result.ts'
import { storedPath } from '../../../src/fleet/results/stored-path.ts'
import { nameOf } from '../../../src/host/files/file-name.ts'
import { tenantId } from '../../../src/model/brand.ts'
import type { Result } from '../../../src/model/result/report.ts'
import { openDeliveryFixture } from '../../support/fleet/delivery-fixture.ts'
import { eachDatabase } from '../../support/fleet/each-database.ts'
import { runs } from '../../support/fleet/outgoing-results.ts'

const acme = tenantId('acme')
const week = weekOf(runs[0])
const names = ['/srv/k\xe8.db', '/srv/k\xe9.db'].map((name) => nameOf(Buffer.from(name, 'latin1')))

test('every path has a text of its own, and one that is UTF-8 stays as it is', () => {
  expect(['/srv/a.db', '/srv/\xe9 \u{1f600}.db', ''].map(storedPath)).toEqual([
    '/srv/a.db',
    '/srv/\xe9 \u{1f600}.db',
    '',
  ])
  const alike = [...names, '/srv/k\ufffd.db', '/srv/k\ufffddce8.db', '/srv/k\ufffd\ufffd.db', '/srv/k\0.db']
  expect(new Set(alike.map(storedPath)).size).toBe(alike.length)
  expect(alike.map(storedPath).every((text) => text.isWellFormed() && !text.includes('\0'))).toBe(true)
  expect(names.map(storedPath)).toEqual(['/srv/k\ufffddce8.db', '/srv/k\ufffddce9.db'])
})

eachDatabase((fleet) => {
  test('each has its place and its result, is known to be done, and is not checked again', async () => {
    await using sender = openDeliveryFixture(fleet.database)
    await registerOwnPlaces(
      { database: fleet.database, host: 'alpha', service: 'notes' },
      {
        tenants: () => Promise.resolve([{ id: acme, files: names, state: 'active' }]),
        leftOut: { unsearched: [] } as never,
      },
      new AbortController().signal,
    )
    const result = { verdict: 'sound', damage: 'none', depth: 'full', content: { tables: [] } } as unknown as Result
    const of = (path: string) =>
      outgoingResult({ run: runs[0], week, attempt: 1 }, acme, { ...result, path }, Date.now())
    await sender.send(...names.map(of))
    const { rows } = await fleet.database.query('select path, verdict from holdfast.place order by path collate "C"')
    expect(rows).toEqual(names.map((name) => ({ path: storedPath(name), verdict: 'sound' })))
    const chunk = { week, run: runs[0], tenants: [acme] }
    const done = await doneFiles(fleet.database, sender.outbox, 'alpha', chunk)
    expect([...done].sort()).toEqual(names.map((name) => doneKey(acme, storedPath(name))))
  })
})
