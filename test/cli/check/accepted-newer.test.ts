/** `accept: newer-sqlite` without objects cannot tell damage from new grammar, and says so wherever it counts. */
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import type { Report } from '../../../src/model/result/report.ts'
import { makeDatabase } from '../../support/cli/folder.ts'
import { holdfast } from '../../support/cli/program.ts'
import { openService } from '../../support/cli/service.ts'

/** One word of a statement is none that this SQLite knows: new grammar, or a damaged byte. */
function makeNewer(path: string): string {
  const database = new Database(makeDatabase(path))
  database.exec('CREATE TABLE later(a TEXT) STRICT')
  database.unsafeMode(true)
  database.pragma('writable_schema=ON')
  database.exec("UPDATE sqlite_schema SET sql = replace(sql, 'STRICT', 'STRIDT') WHERE name = 'later'")
  database.close()
  return path
}

const warning = /newer-sqlite without objects: it also accepts a statement of the schema that damage has changed/

test.each([
  ['without objects it is warned of on stderr, in the report and by the doctor', ['newer-sqlite'], true],
  ['with objects there is nothing to warn of', [{ limit: 'newer-sqlite', objects: ['lat*'] }], false],
] as const)('newer-sqlite: %s', async (_, accept, isDoubtful) => {
  await using service = await openService({ settings: { check: { accept } } })
  const config = ['--config', service.config]
  const says = (text: string): void => expect(warning.test(text), text).toBe(isDoubtful)
  const path = makeNewer(service.folder.in('newer.db'))
  const text = await holdfast(['check', path, ...config])
  expect(text.code, text.stdout).toBe(0)
  says(text.stderr)
  expect(/NOT SURE: newer-sqlite is accepted without objects\./.test(text.stdout)).toBe(isDoubtful)
  const { results } = JSON.parse((await holdfast(['check', '--json', path, ...config])).stdout) as Report
  expect(results[0]?.coverage.skipped.map(({ accepted, acceptedUnnamed }) => [accepted, acceptedUnnamed])).toEqual([
    [true, isDoubtful ? true : undefined],
  ])
  const ofTenant = await holdfast(['check', '--json', '--tenant', 'acme', ...config])
  says(ofTenant.stderr)
  says(((JSON.parse(ofTenant.stdout) as Report).run.notices ?? []).join('\n'))
  says((await holdfast(['repair', '--tenant', 'acme', ...config])).stderr)
  says((await holdfast(['doctor', ...config])).stdout)
})
