/**
 * Comparisons by real children: each is confined to its own sandbox, and ends afterwards. One that dies costs the
 * answer, not the run.
 */
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openChecker } from '../../../src/check/check.ts'
import type { CheckedSnapshot } from '../../../src/check/compare/compare-snapshots.ts'
import type { SnapshotPath } from '../../../src/model/brand.ts'
import type { Comparison, SidePair } from '../../../src/model/result/comparison.ts'
import { create } from '../../support/databases/create-database.ts'
import { descendantsOf, eventually } from '../../support/processes.ts'

const folder = mkdtempSync(join(tmpdir(), 'compare-children-'))
const isRoot = process.getuid?.() === 0
const rows = 600_000
let sides: SidePair<CheckedSnapshot>

/** Enough rows to be at work for a while, with digests as a check finds them: some differ. */
function makeSide(name: string, value: number): CheckedSnapshot {
  mkdirSync(join(folder, name), { mode: 0o700 })
  const path = join(folder, name, 'snapshot.db')
  create(path, 4096, (db) => {
    db.exec('CREATE TABLE t(id INTEGER PRIMARY KEY, v)')
    db.prepare(
      'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n ' +
        'WHERE i < ?) INSERT INTO t SELECT i, i + ? FROM n',
    ).run(rows, value)
  })
  return {
    path: path as SnapshotPath,
    content: [{ name: 't', rows, digest: String(value).padStart(16, '0') }],
    doubtOf: () => null,
  }
}

beforeAll(() => {
  sides = { a: makeSide('a', 0), b: makeSide('b', 1) }
})
afterAll(() => rmSync(folder, { recursive: true }))

const readers = (): readonly number[] =>
  descendantsOf(process.pid)
    .filter(({ command }) => command.includes('reader-child'))
    .map(({ pid }) => pid)
/** The children of both sides, once they are confined and have no rights left. */
const bothInRooms = (): Promise<readonly number[]> =>
  eventually('both sides being read', () => {
    const pids = readers()
    return pids.length === 2 && pids.every((pid) => !isRoot || isConfined(pid)) ? pids : null
  })

const isConfined = (pid: number): boolean =>
  /^Uid:\t65534\t65534\t65534\t65534$[^]*^CapEff:\t0+$/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')) &&
  rootOf(pid).startsWith(join(folder, 'sandbox-'))
const rootOf = (pid: number): string => readlinkSync(`/proc/${pid}/root`)

/** Compares with a checker that reads one snapshot at a time. */
async function compareAlone(signal = new AbortController().signal): Promise<Comparison> {
  await using checker = await openChecker({
    folder,
    parallel: 1,
    engine: 'census',
    timeoutMs: 60_000,
    memoryBytesMax: 1e9,
    niceness: 0,
  })
  return await checker.compare(sides, signal)
}

const left = (): readonly string[] => readdirSync(folder).filter((name) => name !== 'a' && name !== 'b')

test('each side has its own child, which sees only its own sandbox; all rows are found; nothing is left', async () => {
  const compared = compareAlone()
  const pids = await bothInRooms()
  if (isRoot) expect(new Set(pids.map(rootOf)).size).toBe(2)
  const { tables } = await compared
  expect(tables).toMatchObject([
    {
      name: 't',
      comparison: 'differs',
      rowsToldBy: 'rowid',
      differing: { rows, exact: true, different: { total: rows } },
    },
  ])
  expect([readers(), left(), lstatSync(sides.a.path).nlink, lstatSync(sides.b.path).uid]).toEqual([
    [],
    [],
    1,
    process.getuid?.(),
  ])
})

test('a child that dies is reported, and nothing is said about a table that was not read', async () => {
  const compared = compareAlone()
  const [first = 0] = await bothInRooms()
  process.kill(first, 'SIGSEGV')
  const { tables, why } = await compared
  // If it dies before the schemas are read, nothing is compared. Later the digests still show that the tables differ.
  expect(`${why ?? ''} ${tables[0]?.why ?? ''}`).toMatch(/[AB]: the process that read it ended/)
  expect([tables[0]?.differing, ['not-compared', 'differs']]).toEqual([
    null,
    expect.arrayContaining([tables[0]?.comparison]),
  ])
  expect([readers(), left()]).toEqual([[], []])
})

test('a child that died between two questions is replaced', async () => {
  await using checker = await openChecker({
    folder,
    parallel: 1,
    engine: 'census',
    timeoutMs: 60_000,
    memoryBytesMax: 1e9,
    niceness: 0,
  })
  const idle = await eventually('an idle child', () => readers()[0] ?? null)
  if (isRoot) await eventually('it is confined', () => isConfined(idle))
  process.kill(idle, 'SIGKILL')
  await eventually('its end is known', () => !existsSync(`/proc/${idle}`))
  const { why, tables } = await checker.compare(sides, new AbortController().signal)
  expect([why, tables[0]?.comparison, tables[0]?.differing?.rows]).toEqual([null, 'differs', rows])
})

test('an abort ends both children immediately, and gives the snapshots back', async () => {
  const aborting = new AbortController()
  const compared = compareAlone(aborting.signal)
  await bothInRooms()
  aborting.abort(new Error('enough'))
  await expect(compared).rejects.toThrow('enough')
  expect([readers(), left(), lstatSync(sides.a.path).nlink, lstatSync(sides.b.path).nlink]).toEqual([[], [], 1, 1])
})
