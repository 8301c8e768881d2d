/** `fleet compare` as a person calls it: text, document, exit codes; and what it says if there is no fleet. */
import { writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { makeFolder, type Folder } from '../../support/cli/folder.ts'
import { holdfast } from '../../support/cli/program.ts'
import { eachDatabase } from '../../support/fleet/each-database.ts'

function configured(folder: Folder, fleet: object): string {
  const config = folder.in('holdfast.yaml')
  const settings = {
    service: { name: 'notes', admin: 'unix:/run/notes/admin.sock' },
    tenants: { roots: [folder.path] },
    ...fleet,
  }
  writeFileSync(config, JSON.stringify(settings), { mode: 0o600 })
  return config
}

eachDatabase((fleet) => {
  test('copies that are the same, that differ, and a tenant that no host has: 0, 5, 64', async () => {
    using folder = makeFolder()
    const { address } = fleet
    const database =
      address.kind === 'pglite'
        ? `pglite:${address.dir}`
        : `postgres://${address.user ?? ''}@localhost/${address.database}?host=${address.host}`
    const config = configured(folder, { fleet: { database, host: 'alpha' } })
    for (const host of ['alpha', 'beta']) {
      await fleet.database.query(
        `insert into holdfast.place (host, service, tenant, path, verdict, checked_at)
         values ($1, 'notes', 'acme', '/srv/acme.db', 'sound', now())`,
        [host],
      )
      await fleet.database.query(
        `insert into holdfast.content (host, service, tenant, path, table_name, rows, digest, facts, run, checked_at)
         values ($1, 'notes', 'acme', '/srv/acme.db', 'events', 3, 'e', $2, 'R', now())`,
        [host, JSON.stringify({ basis: { format: '1-a', encoding: 'UTF-8', schema: 's' } })],
      )
    }
    const compare = ['fleet', 'compare', 'acme', '--config', config]
    const same = await holdfast(compare)
    expect([same.code, same.stderr]).toEqual([0, ''])
    expect(same.stdout).toContain('all copies are sound and hold the same')
    expect(await holdfast([...compare, '--quiet'])).toMatchObject({ code: 0, stdout: '' })
    await fleet.database.query("update holdfast.content set rows = 2, digest = 'f' where host = 'beta'")
    const differ = await holdfast([...compare, '--json'])
    expect(differ.code).toBe(5)
    expect(JSON.parse(differ.stdout)).toMatchObject({ tenant: 'acme', outcome: 'differ', summary: { exitCode: 5 } })
    const unknown = await holdfast(['fleet', 'compare', 'nobody', '--config', config])
    expect([unknown.code, unknown.stdout]).toEqual([64, ''])
    expect(unknown.stderr).toContain('no host of the fleet has a tenant "nobody"')
  })
})

test('without a fleet: 78; with a database that cannot be reached: 3', async () => {
  using folder = makeFolder()
  const without = await holdfast(['fleet', 'compare', 'acme', '--config', configured(folder, {})])
  expect(without.code).toBe(78)
  const fleet = { fleet: { database: `pglite:${folder.in('fleet')}`, host: 'alpha' } }
  const away = await holdfast(['fleet', 'compare', 'acme', '--config', configured(folder, fleet)])
  expect([away.code, away.stdout]).toEqual([3, ''])
})
