/** `fleet export` and `fleet import`, as they are typed: a fleet moves from one folder of PGlite to another. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { migrateFleet } from '../../../src/fleet/database/migrate.ts'
import { ownFleetDatabase } from '../../../src/fleet/database/open-database.ts'
import { makeFolder, type Folder } from '../../support/cli/folder.ts'
import { holdfast } from '../../support/cli/program.ts'
import { makePgliteFolder } from '../../support/fleet/templates.ts'

/** @returns the path of the configuration */
function configure(folder: Folder, name: string, fleet: string): string {
  const config = folder.in(`${name}.yaml`)
  const service = `service: { name: notes, admin: unix:${folder.in('none.sock')} }\n`
  const folders = `tenants: { roots: [${folder.path}] }\nledger: { dir: ${folder.in('ledger')} }\n`
  writeFileSync(config, `${service}${folders}${fleet}`, { mode: 0o600 })
  return config
}

test('a fleet moves, while its coordinator runs or not', async () => {
  using folder = makeFolder()
  const [from, to] = ['from', 'to'].map((name) => configure(folder, name, `fleet: { database: pglite:${name} }\n`))
  const file = folder.in('fleet.jsonl')
  await makePgliteFolder(folder.in('from'))
  const database = { kind: 'pglite', dir: folder.in('from') } as const
  {
    await using coordinator = await ownFleetDatabase({ database, passwordFile: null, caFile: null })
    await migrateFleet(coordinator)
    await coordinator.query(`insert into holdfast.place(host, service, tenant, path) values ('a', 's', 't', '/p')`)
    const exported = await holdfast(['fleet', 'export', file, '--config', from ?? '', '--json'])
    expect(exported.stderr).toBe('')
    expect(JSON.parse(exported.stdout)).toMatchObject({ action: 'export', file, rows: { place: 1 }, exitCode: 0 })
  }
  const again = await holdfast(['fleet', 'export', folder.in('again.jsonl'), '--config', from ?? ''])
  expect([again.code, again.stdout]).toEqual([0, expect.stringContaining('again.jsonl: 1 row')])
  await makePgliteFolder(folder.in('to'))
  const imported = await holdfast(['fleet', 'import', file, '--config', to ?? '', '--json'])
  expect(JSON.parse(imported.stdout)).toMatchObject({ action: 'import', file, rows: { place: 1 } })
  writeFileSync(folder.in('cut.jsonl'), readFileSync(file, 'utf8').slice(0, -10))
  const cut = await holdfast(['fleet', 'import', folder.in('cut.jsonl'), '--config', to ?? ''])
  expect([cut.code, cut.stdout]).toEqual([64, ''])
  expect(cut.stderr).toContain('TRANSFER_BROKEN')
})

test('says what is missing: the fleet, its folder, its server, a command', async () => {
  using folder = makeFolder()
  const file = folder.in('fleet.jsonl')
  const cases = [
    ['', 78, 'has no fleet.database'],
    ['fleet: { database: pglite:absent }\n', 78, 'there is no such folder'],
    [`fleet: { database: "postgres:///x?host=${folder.path}" }\n`, 3, 'FLEET_UNREACHABLE'],
  ] as const
  for (const [fleet, code, said] of cases) {
    const ran = await holdfast(['fleet', 'export', file, '--config', configure(folder, 'wrong', fleet)])
    expect([ran.code, ran.stdout]).toEqual([code, ''])
    expect(ran.stderr).toContain(said)
  }
  expect([existsSync(file), existsSync(folder.in('absent'))]).toEqual([false, false])
  const none = await holdfast(['fleet'])
  expect([none.code, none.stderr]).toEqual([64, expect.stringContaining('Usage: holdfast fleet')])
})
