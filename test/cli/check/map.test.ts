/**
 * `check --map`: drawn for people, in the document for programs, and without effect on anything else.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import type { DrawnMap } from '../../../src/model/result/page-map.ts'
import type { Report, Result } from '../../../src/model/result/report.ts'
import { damageIndex, makeDatabase, makeFolder } from '../../support/cli/folder.ts'
import { holdfast, reportOf, single } from '../../support/cli/program.ts'
import { openService } from '../../support/cli/service.ts'
import { EditableDatabase } from '../../support/databases/surgeon.ts'
import { createVariedDatabase } from '../../support/databases/wounds.ts'

/** A database with one leaf of `events` zeroed. */
function makeWounded(path: string): number {
  createVariedDatabase(path, 1024, false)
  using database = new EditableDatabase(path)
  const page = database.leaf('events')
  database.write(page, Buffer.alloc(1024))
  return page
}

function drawnIn({ map }: Result): DrawnMap {
  if (map?.kind !== 'drawn') throw new Error(JSON.stringify(map))
  return map
}

test('a person sees where the damage is, which object has it, and how much of the file each object takes', async () => {
  using folder = makeFolder()
  const page = makeWounded(folder.in('app.db'))
  for (const flags of [[], ['--snapshot']]) {
    const { code, stdout, stderr } = await holdfast(['check', '--map', ...flags, folder.in('app.db')], {
      env: { COLUMNS: '80' },
    })
    expect([code, stderr]).toEqual([2, ''])
    const [, drawn = ''] = stdout.split('Map of ')
    expect(drawn).toMatch(/^\S*app\.db\n {2}\d+ pages of 1024 bytes; a cell is a page\n/)
    const row = new RegExp(`^ +${Math.floor((page - 1) / 64) * 64 + 1} {2}(.*)$`, 'm').exec(drawn)?.[1] ?? ''
    expect(row[(page - 1) % 64]).toBe('X')
    // Once in the picture, once in the legend.
    expect(drawn.slice(drawn.indexOf('\n')).match(/X/g)).toHaveLength(2)
    expect(drawn).toMatch(new RegExp(`page-unreadable +table events, page ${page}\n`))
    expect(drawn).toMatch(/ {2}a table events +\d+ +\d+\.\d % +\d+\.\d kB +1\n/)
    expect(stdout.split('\n').filter((line) => line.length > 80 && !/^ *(?:\S+|holdfast .*)$/.test(line))).toEqual([])
    expect(stdout).not.toContain('\u001b')
  }
})

test('the document has it in a field of the schema, only with --map, and nothing else changes', async () => {
  using folder = makeFolder()
  const page = makeWounded(folder.in('a.db'))
  makeDatabase(folder.in('b.db'))
  writeFileSync(folder.in('c.db'), '')
  const args = ['check', '--snapshot', folder.in('a.db'), folder.in('b.db'), folder.in('c.db'), folder.in('missing.db')]
  const [plain, mapped] = [await reportOf(args), await reportOf([...args, '--map'])]
  expect(plain.results.filter((result) => 'map' in result)).toEqual([])
  // They come as they are ready.
  const byPath = ({ results }: Report): readonly Result[] => results.toSorted((a, b) => (a.path < b.path ? -1 : 1))
  const comparable = ({ map: _map, timings: _timings, ...result }: Result): object => result
  expect(byPath(mapped).map(comparable)).toEqual(byPath(plain).map(comparable))
  expect(mapped.summary).toEqual(plain.summary)
  const of = (name: string): Result => mapped.results.find(({ path }) => path.endsWith(name)) ?? single(mapped)
  expect(drawnIn(of('a.db')).cells).toContainEqual({ first: page, last: page, state: 'damaged', owner: 0 })
  expect(drawnIn(of('b.db'))).toMatchObject({
    places: [],
    counts: { damaged: 0, disagreeing: 0, unowned: 0, unread: 0 },
  })
  for (const name of ['c.db', 'missing.db'])
    expect(of(name).map).toEqual({ kind: 'none', why: 'no page of the file was read' })
})

test('exit codes and --quiet are as without a map', async () => {
  using folder = makeFolder()
  const sound = makeDatabase(folder.in('sound.db'))
  const damaged = makeDatabase(folder.in('damaged.db'))
  damageIndex(damaged)
  writeFileSync(folder.in('foreign.db'), 'no database at all')
  expect(await holdfast(['check', '--map', '--quiet', sound])).toEqual({ code: 0, stdout: '', stderr: '' })
  const loud = await holdfast(['check', '--map', '--quiet', damaged])
  expect([loud.code, loud.stderr]).toEqual([2, ''])
  expect(loud.stdout).toContain('Map of')
  const whole = await holdfast(['check', '--map', sound])
  expect([whole.code, whole.stderr]).toEqual([0, ''])
  expect(whole.stdout).toContain(`Map of ${sound}`)
  const foreign = await holdfast(['check', '--map', folder.in('foreign.db')])
  expect(foreign.code).toBe(3)
  expect(foreign.stdout).toContain('No map: no page of the file was read')
})

test('names of objects are untrusted: none steers the terminal or forges a line', async () => {
  using folder = makeFolder()
  const database = new Database(folder.in('hostile.db'))
  database.exec('CREATE TABLE "a\u001b[2J\nX damaged"(x); CREATE TABLE "\u202egnp"(y)')
  database.close()
  const { code, stdout } = await holdfast(['check', '--map', folder.in('hostile.db')])
  expect(code).toBe(0)
  expect(stdout.replaceAll('\n', '')).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u)
  expect(stdout).toContain('table "a\\e[2J\\nX damaged"')
})

test('a tenant has a map as well, and the ledger keeps none of it', async () => {
  await using service = await openService()
  const { code, stdout } = await holdfast(['check', '--map', '--tenant', 'acme', '--config', service.config])
  expect(code).toBe(0)
  expect(stdout).toMatch(/Map of acme {2}\S+acme\.db\n {2}\d+ pages of 4096 bytes/)
  expect(
    drawnIn(single(await reportOf(['check', '--map', '--tenant', 'acme', '--config', service.config]))).owners.map(
      ({ object }) => object.name,
    ),
  ).toContain('notes')
  const files = readdirSync(service.ledger, { withFileTypes: true }).filter((entry) => entry.isFile())
  for (const { name } of files) expect(readFileSync(join(service.ledger, name)).includes('pagesPerCell')).toBe(false)
})

test('the help shows how', async () => {
  const { stdout } = await holdfast(['check', '--help'])
  expect(stdout).toMatch(/--map +draw the pages of each file/)
  expect(stdout).toContain('holdfast check --map app.db')
})
