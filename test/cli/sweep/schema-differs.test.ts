/** A sweep tells at its end which tenants have another schema than most. */
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import type { Report } from '../../../src/model/result/report.ts'
import { makeDatabase } from '../../support/cli/folder.ts'
import { holdfast } from '../../support/cli/program.ts'
import { openService } from '../../support/cli/service.ts'

test('one of six tenants lacks an index: its result has a notice, and the run a sentence', async () => {
  const ids = ['acme', 'bolt', 'corp', 'dent', 'echo', 'fern']
  await using service = await openService({
    tenants: (data) =>
      Object.fromEntries(
        ids.map((id) => {
          const path = makeDatabase(join(data, `${id}.db`))
          const database = new Database(path)
          // Written in another way, but the same.
          if (id === 'bolt') database.exec('DROP INDEX notes_title; create index "notes_title"  ON notes(title) -- x')
          if (id === 'echo') database.exec('DROP INDEX notes_title')
          database.close()
          return [id, path]
        }),
      ),
  })
  const sweep = async (...more: readonly string[]): Promise<Report> =>
    JSON.parse((await holdfast(['sweep', '--json', '--config', service.config, ...more])).stdout) as Report
  const { results, run, summary } = await sweep()
  expect([summary.exitCode, summary.sound]).toEqual([0, 6])
  expect(results.flatMap(({ tenant, findings }) => findings.map(({ rule }) => [tenant, rule]))).toEqual([
    ['echo', 'schema-differs'],
  ])
  expect(run.notices).toEqual(['1 file has another schema than most tenants: echo'])
  const { stdout } = await holdfast(['sweep', '--config', service.config])
  expect(stdout).toContain('echo: the schema is not that of most tenants: 5 of 6 have the same one.')
})
