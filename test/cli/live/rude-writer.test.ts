/**
 * Damage that only the first of two pinned snapshots shows: a program that ignores SQLite's locks has written wrong
 * bytes, and right ones again before the second snapshot. That is no damage of the file.
 */
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { Report } from '../../../src/model/result/report.ts'
import { makeDatabase, makeFolder } from '../../support/cli/folder.ts'
import { generousConfig } from '../../support/cli/generous-limits.ts'
import { resultOf, reportIn, start } from '../../support/cli/program.ts'
import { inDatabase } from '../../support/cli/remedies.ts'
import { startUnit } from '../../support/live-unit.ts'

const pageBytes = 4096

/** A leaf page of a table that the program does not write. */
function addArchive(path: string): number {
  return inDatabase(path, (database) => {
    database.exec('CREATE TABLE archive(id INTEGER PRIMARY KEY, body TEXT)')
    const put = database.prepare("INSERT INTO archive(body) VALUES(printf('%.200c', 'x'))")
    database.transaction(() => Array.from({ length: 500 }, () => put.run()))()
    database.pragma('wal_checkpoint(TRUNCATE)')
    const leaf =
      "SELECT pageno FROM dbstat WHERE name = 'archive' AND pagetype = 'leaf' ORDER BY pageno LIMIT 1 OFFSET 3"
    return database.prepare(leaf).pluck().get() as number
  })
}

/** Without a lock, as a rude program does. */
function writePage(path: string, page: number, bytes: Uint8Array): void {
  const file = openSync(path, 'r+')
  writeSync(file, bytes, 0, bytes.length, (page - 1) * pageBytes)
  fsyncSync(file)
  closeSync(file)
}

/**
 * Checks while the page is wrong, and writes the right bytes when the first snapshot is complete.
 * @returns null if the second snapshot had begun by then: this process was too slow
 */
async function checkMended(path: string, page: number, right: Uint8Array, config: string): Promise<Report | null> {
  writePage(path, page, new Uint8Array(pageBytes))
  const program = start(['check', '--live', path, '--json', '--log-level', 'debug', '--config', config])
  let log = ''
  let mended: 'in time' | 'too late' | null = null
  program.stderr.on('data', (bytes: Buffer) => {
    log += bytes.toString()
    if (mended !== null || !log.includes('"step":"kept"')) return
    writePage(path, page, right)
    mended = log.split('"step":"preflight"').length === 2 ? 'in time' : 'too late'
  })
  const report = reportIn(await resultOf(program))
  return mended === 'in time' ? report : null
}

const attemptsMax = 5

test('is inconclusive (3): no remedy is offered, and both pieces of evidence are in the report', async () => {
  using folder = makeFolder()
  const path = makeDatabase(folder.in('app.db'), { wal: true })
  const page = addArchive(path)
  const right = Uint8Array.from(readFileSync(path).subarray((page - 1) * pageBytes, page * pageBytes))
  const config = generousConfig(folder)
  await using _unit = await startUnit(path)
  let report: Report | null = null
  for (let attempt = 0; report === null && attempt < attemptsMax; attempt++)
    report = await checkMended(path, page, right, config)
  expect(report?.summary.exitCode).toBe(3)
  const [result] = report?.results ?? []
  expect(result).toMatchObject({
    verdict: 'inconclusive',
    damage: 'none',
    remedy: { do: 'nothing', command: `holdfast check --live ${path}` },
    evidence: { level: 'pinned' },
    secondSnapshot: { verdict: 'sound', confirmed: 0, evidence: { level: 'pinned' } },
  })
  expect(result?.findings[0]?.rule).toBe('snapshots-differ')
  expect(result?.secondSnapshot?.unconfirmed.map((one) => [one.in, one.finding.page])).toContainEqual(['first', page])
})
