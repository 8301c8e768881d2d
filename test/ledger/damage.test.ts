import { execFileSync } from 'node:child_process'
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { openLedger, readLedger } from '../../src/ledger/open-ledger.ts'
import { newRunId } from '../../src/ledger/run-lock/run-id.ts'
import { holdAsked, checked, holdEnded, fileIn, holdQuiesced, scratch } from '../support/ledger/sample-events.ts'

const setAsideIn = (dir: string): readonly string[] =>
  readdirSync(dir).filter((name) => /^ledger\.damaged-\d{8}T\d{6}Z(-\d+)?$/.test(name))

/** Lines of three hundred ended holds, and of two that stand open. */
async function fill(dir: string): Promise<void> {
  await using ledger = await openLedger(dir, newRunId())
  const holders = Array.from({ length: 300 }, (_, index) => `h${index}`)
  await Promise.all(
    holders.flatMap((holder) =>
      [holdAsked(holder), holdQuiesced(holder), checked(holder), holdEnded(holder)].map((event) =>
        ledger.append(event),
      ),
    ),
  )
  for (const event of [holdAsked('open one'), holdAsked('open two'), holdQuiesced('open two')])
    await ledger.append(event)
}

function overwrite(path: string, offset: number, bytes: Uint8Array): void {
  const file = openSync(path, 'r+')
  writeSync(file, bytes, 0, bytes.length, offset)
  closeSync(file)
}

const pageBytes = 4096
const wounds: readonly (readonly [string, (file: string) => void])[] = [
  ['a header of noise', (file) => overwrite(file, 0, Buffer.alloc(100, 'noise'))],
  ['a file of noise', (file) => writeFileSync(file, Buffer.alloc(100_000, 'noise'))],
  ['a file cut in the middle of a page', (file) => truncateSync(file, Math.floor(statSync(file).size / 2) + 17)],
  ['zeros over a page', (file) => overwrite(file, 5 * pageBytes, Buffer.alloc(pageBytes))],
  [
    'noise over every second page',
    (file) => {
      for (let page = 1; page < statSync(file).size / pageBytes; page += 2)
        overwrite(file, page * pageBytes, Buffer.alloc(pageBytes, 0xa5))
    },
  ],
  ['a schema that cannot be read', (file) => overwrite(file, pageBytes / 2, Buffer.alloc(pageBytes / 2, 0xff))],
  [
    'an index that lacks an entry',
    (file) => {
      const database = new Database(file)
      database.unsafeMode(true)
      database.pragma('writable_schema = on')
      database.exec(
        'update sqlite_schema set rootpage = (select rootpage from sqlite_schema ' +
          "where name = 'line_of_tenant') where name = 'line_of_holder'",
      )
      database.close()
    },
  ],
  [
    'a table that is gone',
    (file) => {
      const database = new Database(file)
      database.exec('drop table open_holder')
      database.close()
    },
  ],
]

describe('a damaged ledger never blocks a check: it is set aside and a new one begun', () => {
  test.each(wounds)('%s', async (_name, wound) => {
    using folder = scratch()
    await fill(folder.path)
    wound(fileIn(folder.path))
    const damaged = readFileSync(fileIn(folder.path))
    await using ledger = await openLedger(folder.path, newRunId())
    await ledger.append(holdAsked('new one'))
    expect((await ledger.openHolds()).map((hold) => hold.holder)).toContain('new one')
    expect(ledger.notice).toMatch(
      /^the ledger was damaged \(.*\); holdfast renamed it to ledger\.damaged-\d{8}T\d{6}Z and began a new one; /,
    )
    const [name = ''] = setAsideIn(folder.path)
    expect(readFileSync(join(folder.path, name))).toEqual(damaged)
    expect(ledger.notice).toContain(name)
  })
})

test('open holds that can still be read are carried over, with their own times and runs', async () => {
  using folder = scratch()
  await fill(folder.path)
  const before = await openLedger(folder.path, newRunId())
  const holds = await before.openHolds()
  await before[Symbol.asyncDispose]()
  // A page of the index over tenants, which no hold is found by.
  const database = new Database(fileIn(folder.path), { readonly: true })
  const root =
    database.prepare<[], number>("select rootpage from sqlite_schema where name = 'line_of_tenant'").pluck().get() ?? 0
  database.close()
  overwrite(fileIn(folder.path), (root - 1) * pageBytes, Buffer.alloc(pageBytes, 0xa5))
  await using ledger = await openLedger(folder.path, newRunId())
  expect(ledger.notice).toMatch(/2 open holds were carried over$/)
  expect(await ledger.openHolds()).toEqual(holds)
})

test('a ledger that fails in the middle of a run is replaced, and no open hold and no line is lost', async () => {
  using folder = scratch()
  await fill(folder.path)
  await using ledger = await openLedger(folder.path, newRunId())
  await ledger.append(holdAsked('of this run'))
  for (const part of ['', '-wal', '-shm']) {
    const { size } = statSync(fileIn(folder.path) + part)
    overwrite(fileIn(folder.path) + part, 0, Buffer.alloc(size, 0xa5))
  }
  await ledger.append(holdQuiesced('of this run'))
  await ledger.append(holdAsked('after that'))
  expect(
    (await ledger.openHolds()).filter((hold) => hold.holder === 'of this run' || hold.holder === 'after that'),
  ).toMatchObject([
    { holder: 'of this run', leaseId: 'lease of of this run' },
    { holder: 'after that', leaseId: null },
  ])
  expect(ledger.notice).toContain('the ledger was damaged')
  expect(setAsideIn(folder.path)).toHaveLength(1)
})

test('a journal without its ledger is not taken for that of a new one', async () => {
  using folder = scratch()
  const dir = join(folder.path, 'ledger')
  {
    await using ledger = await openLedger(dir, newRunId())
    await ledger.append(holdAsked('old'))
    mkdirSync(join(folder.path, 'kept'))
    for (const part of ['-wal', '-shm']) copyFileSync(fileIn(dir) + part, join(folder.path, 'kept', `ledger.db${part}`))
  }
  rmSync(fileIn(dir))
  for (const part of ['-wal', '-shm']) copyFileSync(join(folder.path, 'kept', `ledger.db${part}`), fileIn(dir) + part)
  await using ledger = await openLedger(dir, newRunId())
  expect(await ledger.openHolds()).toEqual([])
  expect(ledger.notice).toContain('the ledger was missing though its journal was there')
})

test('an empty file is begun anew', async () => {
  using folder = scratch()
  writeFileSync(fileIn(folder.path), '', { mode: 0o600 })
  await using ledger = await openLedger(folder.path, newRunId())
  await ledger.append(holdAsked('one'))
  expect(await ledger.openHolds()).toHaveLength(1)
})

test('reading a damaged ledger says so and leaves it where it is', async () => {
  using folder = scratch()
  await fill(folder.path)
  overwrite(fileIn(folder.path), 0, Buffer.alloc(100, 'noise'))
  await expect(readLedger(folder.path)).rejects.toMatchObject({
    code: 'LEDGER_UNUSABLE',
    hint: expect.stringContaining('sets') as string,
  })
  expect(readdirSync(folder.path)).toEqual(['ledger.db', 'ledger.note'])
})

test.skipIf(process.getuid?.() !== 0)(
  'a full disk is a failure that names it, not damage; lines before it stay, and lines after it go in again (as root)',
  async () => {
    using folder = scratch()
    const dir = join(folder.path, 'small')
    mkdirSync(dir, { mode: 0o700 })
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=600k,mode=0700', 'tmpfs', dir])
    try {
      await using ledger = await openLedger(dir, newRunId())
      await ledger.append(holdAsked('before'))
      const filler = 'x'.repeat(50_000)
      await expect(
        (async () => {
          for (let hold = 0; hold < 100; hold += 1) await ledger.append(holdAsked(`${hold} ${filler}`))
        })(),
      ).rejects.toMatchObject({
        code: 'LEDGER_UNUSABLE',
        message: expect.stringContaining('full') as string,
        hint: expect.stringContaining('free space') as string,
      })
      expect((await ledger.openHolds()).map((hold) => hold.holder)).toContain('before')
      execFileSync('mount', ['-o', 'remount,size=4m', dir])
      await ledger.append(holdAsked('after'))
      expect((await ledger.openHolds()).map((hold) => hold.holder)).toEqual(expect.arrayContaining(['before', 'after']))
      expect(ledger.notice).toBeNull()
    } finally {
      execFileSync('umount', [dir])
    }
  },
)
