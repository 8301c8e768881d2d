/** What the fleet has stored of the copies of a tenant is read as it is, and as old as it is. */
import { expect, test } from 'vitest'
import { compareTenant } from '../../../src/fleet/compare/compare-tenant.ts'
import { readCopies } from '../../../src/fleet/compare/read-copies.ts'
import type { FleetDatabase } from '../../../src/fleet/database/database.ts'
import { problemsOfDocument } from '../../support/cli/json-documents.ts'
import { eachDatabase } from '../../support/fleet/each-database.ts'

const basis = { format: '1-aa', encoding: 'UTF-8', schema: 's1' }

/** One file with two tables, as a delivery stores it. */
async function store(
  database: FleetDatabase,
  host: string,
  {
    service = 'notes',
    path = '/srv/acme.db',
    digest = 'e',
    run = 'R1',
    at = '2026-11-29T01:00:00Z',
    verdict = 'sound',
  } = {},
): Promise<void> {
  await database.query(
    `insert into holdfast.place (host, service, tenant, path, verdict, damage, checked_at, run, attempt)
     values ($1, $2, 'acme', $3, $4, 'none', $5, $6, 1) on conflict do nothing`,
    [host, service, path, verdict, at, run],
  )
  for (const [name, rows, print] of [
    ['events', 3, digest],
    ['users', 2, 'u'],
  ])
    await database.query(
      `insert into holdfast.content (host, service, tenant, path, table_name, rows, digest, facts, run, checked_at)
       values ($1, $2, 'acme', $3, $4, $5, $6, $7, $8, $9)
       on conflict (host, service, tenant, path, table_name) do update set digest = excluded.digest, run = excluded.run,
         checked_at = excluded.checked_at`,
      [host, service, path, name, rows, print, JSON.stringify({ basis, readable: 3 }), run, at],
    )
}

eachDatabase((fleet) => {
  const compared = (services: readonly string[] | null = null) =>
    compareTenant(fleet.database, { tenant: 'acme', services, version: '1.0.0', byKey: null })

  test('copies on two hosts are equal, and then one differs: 0, 5', async () => {
    await store(fleet.database, 'alpha')
    await store(fleet.database, 'beta')
    const equal = await compared()
    expect(problemsOfDocument(equal)).toEqual([])
    expect([equal.outcome, equal.summary.exitCode, equal.summary.copies]).toEqual(['equal', 0, 2])
    expect(equal.files[0]?.copies[0]?.digestsOf).toBe('2026-11-29T01:00:00.000Z')
    await store(fleet.database, 'beta', { digest: 'x', run: 'R2', at: '2026-11-29T02:00:00Z' })
    const differs = await compared()
    expect(problemsOfDocument(differs)).toEqual([])
    expect([differs.outcome, differs.summary.exitCode, differs.files[0]?.apartMs]).toEqual(['differ', 5, 3_600_000])
    expect(differs.files[0]?.tables[0]?.variants.map(({ copies }) => copies)).toEqual([['alpha'], ['beta']])
  })

  test('a table that the newest check did not find any more does not count', async () => {
    await store(fleet.database, 'alpha')
    await fleet.database.query(
      "update holdfast.content set run = 'R2', checked_at = '2026-11-29T05:00:00Z' where table_name = 'users'",
    )
    const { copies } = await readCopies(fleet.database, 'acme', null)
    expect(copies[0]?.digests?.tables.map(({ name }) => name)).toEqual(['users'])
  })

  test('a host that has the tenant no more is left out, and one without a check has no digests', async () => {
    await store(fleet.database, 'alpha')
    await store(fleet.database, 'gone')
    await fleet.database.query("update holdfast.place set gone_at = now() where host = 'gone'")
    await fleet.database.query(
      "insert into holdfast.place (host, service, tenant, path) values ('new', 'notes', 'acme', '/srv/acme.db')",
    )
    const { copies } = await readCopies(fleet.database, 'acme', null)
    expect(copies.map(({ host, verdict, digests }) => [host, verdict, digests === null])).toEqual([
      ['alpha', 'sound', false],
      ['new', null, true],
    ])
  })

  test('facts that are none, or that a liar wrote, are no basis', async () => {
    await store(fleet.database, 'alpha')
    for (const facts of [
      null,
      '{}',
      '{"basis":{"format":7}}',
      '"text"',
      '{"basis":{"format":"1","encoding":"ASCII","schema":null}}',
    ]) {
      await fleet.database.query('update holdfast.content set facts = $1', [facts])
      const { copies } = await readCopies(fleet.database, 'acme', null)
      expect([facts, copies[0]?.digests?.basis]).toEqual([facts, null])
    }
  })

  test('a tenant of two services is compared only within those that are named', async () => {
    await store(fleet.database, 'alpha')
    await store(fleet.database, 'beta', { service: 'replica' })
    await expect(compared()).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('notes, replica') as string,
    })
    expect((await compared(['notes'])).summary).toMatchObject({ copies: 1, exitCode: 3 })
    expect((await compared(['notes', 'replica'])).summary).toMatchObject({ copies: 2, exitCode: 0 })
  })

  test('a tenant that the fleet does not know is refused', async () => {
    await expect(compared()).rejects.toMatchObject({ code: 'TENANT_UNKNOWN' })
  })

  test('of more than a hundred copies it says that they were not all compared', async () => {
    for (let i = 0; i < 101; i++)
      await fleet.database.query(
        "insert into holdfast.place (host, service, tenant, path) values ($1, 'notes', 'acme', 'p')",
        [`host-${i}`],
      )
    const report = await compared()
    expect(problemsOfDocument(report)).toEqual([])
    expect([report.summary.copies, report.copiesLeftOut, report.summary.exitCode]).toEqual([100, true, 3])
  })
})
