/** A tenant of several files at the command line: it is paused once for all of them, and they are of one moment. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { damageIndex, makeDatabase } from '../../support/cli/folder.ts'
import { openHookedService } from '../../support/cli/hooked-service.ts'
import { holdfast, reportIn, reportOf } from '../../support/cli/program.ts'
import { openService } from '../../support/cli/service.ts'
import { startOtherProcess } from '../../support/host/other-process.ts'

/** Rows of each pulled file. */
function rowsIn(folder: string): readonly number[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && entry.name.endsWith('.db'),
  )
  return files.map(({ parentPath, name }) => {
    const database = new Database(join(parentPath, name))
    const rows = database.prepare('SELECT count(*) FROM notes').pluck().get() as number
    database.close()
    return rows
  })
}

test.each([
  ['a WAL', true],
  ['a rollback journal', false],
] as const)(
  'by hooks, with %s: one pause and one resume, and a transaction over all files is in all snapshots or in none',
  async (_, wal) => {
    await using service = await openHookedService({ tenants: { acme: { wal, files: 3 } } })
    for (const time of [1, 2]) {
      const pulled = service.folder.in(`pulled-${time}`)
      expect((await holdfast(['pull', 'acme', pulled, '--config', service.config])).code).toBe(0)
      const rows = rowsIn(pulled)
      expect(
        [rows.length, new Set(rows).size, (rows[0] ?? 0) > 50],
        `rows in the snapshots: ${rows.join(', ')}`,
      ).toEqual([3, 1, true])
      expect(service.actions).toEqual(Array.from({ length: time }, () => ['pause acme', 'resume acme']).flat())
    }
    const swept = await reportOf(['sweep', '--config', service.config])
    expect(swept.results.map(({ verdict, tenant }) => [tenant, verdict])).toEqual([
      ['acme', 'sound'],
      ['acme', 'sound'],
      ['acme', 'sound'],
    ])
    expect([swept.summary.selected, service.actions.length]).toEqual([3, 6])
    expect(service.paused()).toEqual([])
  },
)

test(
  'by the admin API each file has its result: damage, a missing file and one in use say ' +
    'nothing of the others, and the doctor and `--only` pause no more often',
  async () => {
    const names = ['a.db', 'b.db', 'c.db', 'd.db']
    await using service = await openService({
      tenants: (data) => ({ many: names.map((name) => join(data, name)), bolt: join(data, 'bolt.db') }),
    })
    const config = ['--config', service.config]
    await using other = await startOtherProcess()
    const shortResults = async (args: readonly string[]): Promise<readonly unknown[]> => {
      const report = reportIn(await holdfast([...args, '--json', ...config]))
      return [
        report.summary.exitCode,
        ...report.results
          .map(({ path, verdict, failure }) => `${basename(path)} ${verdict}${failure ? ` ${failure.code}` : ''}`)
          .toSorted(),
      ]
    }
    const actionsOf = (): readonly string[] => service.actions.splice(0).filter((action) => action.endsWith(' many'))

    expect(await shortResults(['check', '--tenant', 'many'])).toEqual([
      0,
      'a.db sound',
      'b.db sound',
      'c.db sound',
      'd.db sound',
    ])
    expect(actionsOf()).toEqual(['close many', 'open many'])
    await other.open(join(service.data, 'c.db'), 'read')
    expect(await shortResults(['sweep', '--only', 'many'])).toEqual([
      3,
      'a.db sound',
      'b.db sound',
      'c.db inconclusive IN_USE',
      'd.db sound',
    ])
    expect(actionsOf()).toEqual(['close many', 'open many'])
    const doctor = await holdfast(['doctor', '--tenant', 'many', ...config])
    // Once for each of its holds: a first one, one with a key, and a short one.
    const actions = Array.from({ length: 3 }, () => ['close many', 'open many']).flat()
    expect([doctor.stdout, actionsOf()]).toEqual([expect.stringMatching(/service: files while quiesced/), actions])
  },
)

test('damage of one file, and one that is gone, in a tenant whose service closed them all', async () => {
  await using service = await openHookedService({ tenants: { acme: { wal: false, files: 3 } } })
  const served = ['acme.db', 'acme.more0.db', 'acme.more1.db'].map((name) => join(service.data, name))
  const hooks = readFileSync(service.config, 'utf8')
  // A listing of its own, with files that no process has open.
  const listed = service.folder.in('listed.json')
  const closed = ['one.db', 'two.db'].map((name) => makeDatabase(join(service.data, name)))
  damageIndex(closed[1] ?? '')
  writeFileSync(
    listed,
    JSON.stringify([{ id: 'acme', files: [...served, ...closed, join(service.data, 'never.db')], state: 'active' }]),
  )
  const config = JSON.parse(hooks) as { service: { hooks: { tenants: string[] } } }
  config.service.hooks.tenants = ['/bin/cat', listed]
  writeFileSync(service.config, JSON.stringify(config))
  const report = await reportOf(['sweep', '--config', service.config])
  expect(
    report.results
      .map(({ path, verdict, failure }) => `${basename(path)} ${verdict} ${failure?.code ?? ''}`)
      .toSorted(),
  ).toEqual([
    'acme.db sound ',
    'acme.more0.db sound ',
    'acme.more1.db sound ',
    'never.db failed NOT_FOUND',
    'one.db sound ',
    'two.db damaged ',
  ])
  expect([report.summary.exitCode, service.actions]).toEqual([2, ['pause acme', 'resume acme']])
})
