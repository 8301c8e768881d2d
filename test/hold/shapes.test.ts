/** Live sets of every shape: each is held and found sound, and no byte or time of it changes. */
import { copyFileSync, existsSync, mkdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { liveSetParts } from '../../src/model/result/evidence.ts'
import { create, fillEvents, pageSizes } from '../support/databases/create-database.ts'
import { recipes } from '../support/databases/recipes.ts'
import { appendTrailer } from '../support/databases/trailer.ts'
import { footprint } from '../support/hold/expect-unlocked.ts'
import { openHoldFixture, type HoldFixture } from '../support/hold/hold-fixture.ts'
import { temporaryFolder } from '../support/host/other-process.ts'
import { startNode } from '../support/processes.ts'
import { startDemo } from '../support/service/demo-service.ts'

describe('a live set', () => {
  let fixture: HoldFixture
  let folder: ReturnType<typeof temporaryFolder>
  beforeAll(async () => {
    fixture = await openHoldFixture()
    folder = temporaryFolder()
  })
  afterAll(async () => {
    folder[Symbol.dispose]()
    await fixture[Symbol.asyncDispose]()
  })

  async function expectSoundAndUntouched(file: string): Promise<void> {
    const before = footprint(file)
    const { result } = await fixture.examineBare(file)
    expect(
      result?.verdict,
      `${result?.failure?.message ?? ''}${result?.reason ?? ''}${JSON.stringify(result?.findings)}`,
    ).toBe('sound')
    expect(result?.evidence.level).toBe('sealed')
    expect(footprint(file)).toEqual(before)
    expect(fixture.remainingFiles()).toEqual([])
  }

  /** Rows of `crashed` in the snapshot, as SQLite recovers it there. */
  async function rowsInSnapshot(file: string): Promise<number> {
    const held = await fixture.holdBare(file)
    if (held.kind !== 'snapshot') throw held.failure
    await using snapshot = held.snapshot
    const database = new Database(snapshot.path)
    try {
      return database.prepare('select count(*) from crashed').pluck().get() as number
    } finally {
      database.close()
    }
  }

  /** What SQLite makes of a copy of the file and its WAL. */
  function asSqliteReads(file: string): { readonly integrity: unknown; readonly tables: unknown } {
    const copy = folder.file('as-sqlite-reads-it.db')
    for (const part of ['', '-wal']) copyFileSync(file + part, copy + part)
    const database = new Database(copy)
    try {
      return {
        integrity: database.pragma('integrity_check', { simple: true }),
        tables: database.prepare('select count(*) from sqlite_schema').pluck().get(),
      }
    } finally {
      database.close()
      for (const part of liveSetParts) rmSync(copy + part, { force: true })
    }
  }

  async function crash(file: string, mode: 'delete' | 'wal', committed: number, uncommitted: number): Promise<void> {
    await using crasher = startNode('test/support/programs/crasher.ts', [
      file,
      mode,
      String(committed),
      String(uncommitted),
    ])
    await crasher.ready
    crasher.kill('SIGKILL')
    await crasher.ended
  }

  it.each(pageSizes)('with pages of %i bytes, WAL and rollback journal, is sound and untouched', async (pageSize) => {
    for (const mode of ['delete', 'wal']) {
      const file = folder.file(`pages-${pageSize}-${mode}.db`)
      create(file, pageSize, (database) => {
        database.pragma(`journal_mode = ${mode}`)
        fillEvents(120)(database)
      })
      await expectSoundAndUntouched(file)
    }
  })

  it.each(recipes.filter(({ name }) => /auto-vacuum|fts5|without rowid|reserved|nothing but|UTF-16le/.test(name)))(
    'made as "$name" is sound and untouched',
    async ({ name, build }) => {
      const file = folder.file(`${name}.db`)
      build(file, 1024)
      await expectSoundAndUntouched(file)
    },
  )

  it(
    'with a hot journal, left by a writer that was killed in its transaction, ' +
      'is rolled back in the snapshot and stays hot in its place',
    async () => {
      const file = folder.file('hot.db')
      await crash(file, 'delete', 50, 400)
      expect(statSync(`${file}-journal`).size).toBeGreaterThan(512)
      await expectSoundAndUntouched(file)
      expect(await rowsInSnapshot(file)).toBe(50)
    },
  )

  it.each([
    [50, 0],
    [50, 400],
  ])(
    'with a WAL that a killed writer left behind (%i rows committed, %i not) ' +
      'is recovered in the snapshot and stays in its place',
    async (committed, uncommitted) => {
      const file = folder.file(`orphaned-${uncommitted}.db`)
      await crash(file, 'wal', committed, uncommitted)
      expect(statSync(`${file}-wal`).size).toBeGreaterThan(32)
      await expectSoundAndUntouched(file)
      expect(await rowsInSnapshot(file)).toBe(committed)
    },
  )

  it(
    "with a killed writer's WAL is held for a service as well, and no program " +
      'that opens it meanwhile takes a stale wal-index for current',
    async () => {
      const dir = folder.file('served')
      mkdirSync(dir)
      await crash(join(dir, 'crashed.db'), 'wal', 80, 300)
      await using demo = await startDemo({ dir })
      const { result } = await fixture.examine(demo, 'crashed', { settings: { warmAboveBytes: 0 } })
      expect(result?.verdict, result?.failure?.message).toBe('sound')
      expect(await rowsInSnapshot(demo.fileOf('crashed'))).toBe(80)
    },
  )

  it('with a hot journal and a super-journal is rolled back in the snapshot; the super-journal stays', async () => {
    const file = folder.file('super.db')
    await crash(file, 'delete', 30, 300)
    const superJournal = folder.file('transaction-mj12345678')
    writeFileSync(superJournal, 'names of journals')
    appendTrailer(`${file}-journal`, superJournal)
    const before = footprint(superJournal)
    await expectSoundAndUntouched(file)
    expect(await rowsInSnapshot(file)).toBe(30)
    expect(existsSync(superJournal)).toBe(true)
    expect(footprint(superJournal)).toEqual(before)
  })

  it('with a super-journal whose path is not UTF-8 is rolled back too', async () => {
    const file = folder.file('latin.db')
    await crash(file, 'delete', 30, 300)
    const superJournal = Buffer.concat([Buffer.from(folder.file('transaction-')), Buffer.from([0xe4])])
    writeFileSync(superJournal, 'names of journals')
    appendTrailer(`${file}-journal`, superJournal)
    expect(await rowsInSnapshot(file)).toBe(30)
  })

  it.each([
    ['is in a folder that is not here', '/srv/elsewhere/transaction-mj12345678'],
    ['is in a folder that is a file', '/etc/passwd/transaction-mj12345678'],
  ])('is inconclusive if its super-journal %s', async (_, superJournal) => {
    const file = folder.file('elsewhere.db')
    await crash(file, 'delete', 30, 300)
    appendTrailer(`${file}-journal`, superJournal)
    const before = footprint(file)
    const { result } = await fixture.examineBare(file)
    expect(result?.verdict).toBe('inconclusive')
    expect(JSON.stringify(result?.coverage.skipped)).toContain('transaction over several files')
    expect(footprint(file)).toEqual(before)
  })

  it('with a WAL of no bytes is sound and untouched', async () => {
    const file = folder.file('empty-wal.db')
    create(file, 4096, (database) => {
      database.pragma('journal_mode = wal')
      fillEvents(50)(database)
    })
    writeFileSync(`${file}-wal`, '')
    await expectSoundAndUntouched(file)
  })

  it('with a WAL whose header was torn is read without it, as SQLite reads it', async () => {
    const file = folder.file('torn-wal.db')
    await crash(file, 'wal', 20, 0)
    truncateSync(`${file}-wal`, 20)
    await expectSoundAndUntouched(file)
    expect(asSqliteReads(file)).toEqual({ integrity: 'ok', tables: 0 }) // All that was committed lay in that WAL.
  })

  it('with the WAL of another database beside it is never called sound by mistake, and never touched', async () => {
    const file = folder.file('foreign-wal.db')
    const other = folder.file('other.db')
    create(file, 4096, (database) => {
      database.pragma('journal_mode = wal')
      fillEvents(300)(database)
    })
    await crash(other, 'wal', 40, 0)
    copyFileSync(`${other}-wal`, `${file}-wal`)
    const before = footprint(file)
    const { result } = await fixture.examineBare(file)
    expect(footprint(file)).toEqual(before)
    // SQLite cannot know that the WAL belongs to another database. The service would get what SQLite makes of both.
    expect(result?.verdict === 'sound').toBe(asSqliteReads(file).integrity === 'ok')
  })

  it.each([
    'it\'s "quoted".db',
    'two\nlines.db',
    'per%20cent #?&.db',
    'ünïcödé 🐘.db',
    `${'long'.repeat(55)}.db`,
    '-dash.db',
  ])('under the name %j is held, bare and for a service', async (name) => {
    const dir = folder.file(`named-${Buffer.from(name).toString('hex').slice(0, 16)}`)
    mkdirSync(dir)
    create(join(dir, name), 4096, (database) => {
      database.pragma('journal_mode = wal')
      fillEvents(20)(database)
    })
    await expectSoundAndUntouched(join(dir, name))
    await using demo = await startDemo({ dir })
    const before = footprint(join(dir, name))
    const { result, open } = await fixture.examine(demo, name.slice(0, -3), { roots: [dir] })
    expect(result?.verdict, result?.failure?.message).toBe('sound')
    expect(open).toEqual([])
    expect(footprint(join(dir, name))).toEqual(before)
  })
})
