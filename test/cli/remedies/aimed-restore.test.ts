/** `restore --from` of a tenant with several files: one of them is meant, and no other file is ever replaced. */
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeDatabase, makeFolder, type Folder } from '../../support/cli/folder.ts'
import { holdfast } from '../../support/cli/program.ts'
import { inDatabase, integrityOf, remedyOf, zeroTableLeaf } from '../../support/cli/remedies.ts'
import { openService, type TestService } from '../../support/cli/service.ts'

interface PairedService extends TestService {
  readonly main: string
  readonly search: string
  readonly idOfMain: string
}

/** The tenant acme has two files and a backup of each. Then one of them is damaged. */
async function openPaired(folder: Folder): Promise<PairedService> {
  const service = await openService({
    tenants: (data) => ({
      acme: ['main.db', 'search.db'].map((name) => makeDatabase(join(data, name), { rows: 2_000 })),
    }),
    settings: { backups: { dir: folder.in('backups') } },
  })
  const [main, search] = [join(service.data, 'main.db'), join(service.data, 'search.db')]
  const { stdout } = await holdfast(['backups', 'add', 'acme', '--json', '--config', service.config])
  const { backups } = JSON.parse(stdout) as {
    readonly backups: readonly { readonly id: string; readonly path: string }[]
  }
  const idOfMain = backups.find(({ path }) => path === main)?.id ?? ''
  inDatabase(search, (database) => database.exec("INSERT INTO notes(title) VALUES('newer')"))
  zeroTableLeaf(main)
  return { ...service, main, search, idOfMain }
}

const restore = (service: TestService, ...more: readonly string[]): Promise<Awaited<ReturnType<typeof remedyOf>>> =>
  remedyOf('restore', '--tenant', 'acme', '--config', service.config, ...more)

test('a file that may be for any of them is refused before anything is held: exit code 64', async () => {
  using folder = makeFolder()
  await using service = await openPaired(folder)
  const other = makeDatabase(folder.in('other.db'))
  const [main, search] = [readFileSync(service.main), readFileSync(service.search)]
  const report = await restore(service, '--from', other, '--apply')
  expect(report).toMatchObject({ results: [], failure: { code: 'USAGE' }, summary: { exitCode: 64 } })
  expect(report.failure?.message).toContain('it is not clear which one')
  expect(readFileSync(service.main).equals(main)).toBe(true)
  expect(readFileSync(service.search).equals(search)).toBe(true)
})

test('a file with the name of one of them takes the place of that one alone', async () => {
  using folder = makeFolder()
  await using service = await openPaired(folder)
  mkdirSync(folder.in('older'))
  makeDatabase(folder.in('older/main.db'), { rows: 1_999 })
  const search = readFileSync(service.search)
  const { results, summary } = await restore(service, '--from', folder.in('older/main.db'), '--apply')
  expect(results.map(({ plan, applied }) => [plan.do, applied?.verdict ?? null])).toEqual([
    ['restore', 'sound'],
    ['nothing', null],
  ])
  expect([summary.exitCode, integrityOf(service.main)]).toEqual([0, 'ok'])
  expect(readFileSync(service.search).equals(search)).toBe(true)
})

test('the id of a backup means the file that the backup is of', async () => {
  using folder = makeFolder()
  await using service = await openPaired(folder)
  const search = readFileSync(service.search)
  const { results, summary } = await restore(service, '--from', service.idOfMain, '--apply')
  expect(results.map(({ plan, applied, failure }) => [plan.do, applied?.verdict, failure])).toEqual([
    ['restore', 'sound', null],
    ['nothing', undefined, null],
  ])
  expect([summary.exitCode, integrityOf(service.main)]).toEqual([0, 'ok'])
  expect(readFileSync(service.search).equals(search)).toBe(true)
})

test('nothing is changed if another file of the tenant is damaged and stays so', async () => {
  using folder = makeFolder()
  await using service = await openPaired(folder)
  zeroTableLeaf(service.search)
  const main = readFileSync(service.main)
  const { results, summary } = await restore(service, '--from', service.idOfMain, '--apply')
  expect(results.map(({ failure }) => failure?.code ?? null)).toEqual(['REMEDY_REFUSED', null])
  expect(summary.exitCode).toBe(2)
  expect(readFileSync(service.main).equals(main)).toBe(true)
})

test.each(['20200101T000000000Z-00000000', 'nofile.db'])('%s is nothing that is known: exit code 64', async (from) => {
  using folder = makeFolder()
  const path = makeDatabase(folder.in('app.db'), { rows: 2_000 })
  const store = folder.in('backups')
  await holdfast(['backups', 'add', path, '--backups', store])
  zeroTableLeaf(path)
  for (const args of [
    ['restore', path, '--from', from, '--backups', store],
    ['restore', path, '--from', from],
    ['salvage', path, '--to', folder.in('new.db'), '--from', from, '--backups', store],
  ])
    expect(await remedyOf(...args), args.join(' ')).toMatchObject({
      results: [],
      failure: { code: 'BACKUP_UNKNOWN' },
      summary: { exitCode: 64 },
    })
})

test('the backup of another file is no backup of this one: exit code 64', async () => {
  using folder = makeFolder()
  const [path, other] = [makeDatabase(folder.in('app.db')), makeDatabase(folder.in('other.db'))]
  const store = folder.in('backups')
  const { stdout } = await holdfast(['backups', 'add', other, '--backups', store, '--json'])
  const [{ id } = { id: '' }] = (JSON.parse(stdout) as { readonly backups: readonly { readonly id: string }[] }).backups
  const report = await remedyOf('restore', path, '--from', id, '--backups', store)
  expect([report.failure?.code, report.summary.exitCode]).toEqual(['BACKUP_UNKNOWN', 64])
})
