/** Snapshots with a WAL or a journal: what SQLite makes of them, and what would be lost silently. */
import { copyFileSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import type { Reading } from '../../../src/model/result/reading.ts'
import { create, fillEvents } from '../../support/databases/create-database.ts'
import { rulesIn, useSnapshotFolder } from '../../support/snapshot-folder.ts'

const place = useSnapshotFolder()
const { check, make, expectBackInPlace } = place

describe('snapshots with a WAL or a journal are recovered into one plain file', () => {
  test('a WAL is written back, and its rows are there', async () => {
    const source = join(place.folder, 'source.db')
    const db = new Database(source)
    db.pragma('journal_mode=WAL')
    fillEvents(500)(db)
    copyFileSync(source, place.snapshot)
    copyFileSync(`${source}-wal`, `${place.snapshot}-wal`)
    db.close()
    rmSync(source)
    const reading = await check()
    expect(reading).toMatchObject({ facts: [], complete: true })
    expect(reading.content).toContainEqual({ name: 'events', rows: 500, digest: expect.any(String) as string })
    expectBackInPlace()
  })

  test('a hot journal is rolled back', async () => {
    const source = join(place.folder, 'source.db')
    create(source, 4096, fillEvents(500))
    const db = new Database(source)
    db.pragma('cache_size=1')
    db.pragma('cache_spill=1')
    db.exec(
      "BEGIN; UPDATE events SET note = note || ' changed' || id; UPDATE users " +
        "SET name = name || 'x'; DELETE FROM events WHERE id > 600",
    )
    copyFileSync(source, place.snapshot)
    copyFileSync(`${source}-journal`, `${place.snapshot}-journal`)
    db.exec('ROLLBACK')
    db.close()
    rmSync(source)
    const reading = await check()
    expect(reading).toMatchObject({ facts: [], complete: true })
    expect(reading.content).toContainEqual({ name: 'events', rows: 500, digest: expect.any(String) as string })
    expectBackInPlace()
  })

  test('a journal that names a super-journal is not changed, and the other file is not opened', async () => {
    make(fillEvents(50))
    const other = join(place.folder, 'live-mj01')
    writeFileSync(other, 'live')
    const name = Buffer.from(other)
    const trailer = Buffer.alloc(16)
    trailer.writeUInt32BE(name.length, 0)
    trailer.writeUInt32BE(
      name.reduce((sum, byte) => sum + byte, 0),
      4,
    )
    const magic = Buffer.from([0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7])
    magic.copy(trailer, 8)
    writeFileSync(`${place.snapshot}-journal`, Buffer.concat([magic, Buffer.alloc(504), name, trailer]))
    const reading = await check()
    expect(reading).toMatchObject({ complete: false, facts: [] })
    expect(reading.coverage.skipped).toEqual([{ object: 'journal', why: expect.stringContaining('live-mj01') }])
    expect(existsSync(`${place.snapshot}-journal`) && existsSync(other)).toBe(true)
  })
})

describe('a companion that damages the file that it is written into', () => {
  /** The WAL of one history beside the file of another one. */
  function makeForeign(): void {
    const source = join(place.folder, 'source.db')
    create(source, 4096, fillEvents(400))
    const db = new Database(source)
    db.pragma('journal_mode=WAL')
    db.pragma('wal_autocheckpoint=0')
    db.exec("UPDATE events SET note = note || ' changed' WHERE id < 200")
    copyFileSync(`${source}-wal`, `${place.snapshot}-wal`)
    db.close()
    rmSync(source)
    create(source, 4096, fillEvents(400))
    const restored = new Database(source)
    restored.exec('DELETE FROM events WHERE id % 2 = 0; VACUUM')
    restored.close()
    copyFileSync(source, place.snapshot)
    rmSync(source)
  }
  const rowsIn = (reading: Reading | null | undefined): number | undefined =>
    reading?.content.find(({ name }) => name === 'events')?.rows

  test.each(['census', 'sqlite'] as const)(
    'is found by a second reading without it, whose file is gone afterwards (%s)',
    async (engine) => {
      makeForeign()
      const before = readFileSync(place.snapshot)
      const reading = await check('full', { engine })
      expect(reading.facts).not.toEqual([])
      expect(reading.recovered).toMatchObject({
        companions: [{ part: '-wal', did: 'replayed' }],
        without: { facts: [], complete: true, recovered: null },
      })
      expect(rowsIn(reading.recovered?.without)).toBe(200)
      expect(reading.recovered?.pagesChanged).toBeGreaterThan(0)
      // The recovered file is left outside: a comparison expects it.
      expectBackInPlace()
      expect(readFileSync(place.snapshot).equals(before)).toBe(false)
      expect((await check('full', { engine })).facts).toEqual(reading.facts)
    },
  )

  test('the file is read without its companion only if something is wrong', async () => {
    const source = join(place.folder, 'source.db')
    create(source, 4096, fillEvents(400))
    const db = new Database(source)
    db.pragma('journal_mode=WAL')
    db.pragma('wal_autocheckpoint=0')
    db.exec("UPDATE events SET note = note || ' changed' WHERE id = 3")
    const wal = readFileSync(`${source}-wal`)
    copyFileSync(source, place.snapshot)
    writeFileSync(`${place.snapshot}-wal`, wal)
    db.close()
    rmSync(source)
    const frames = new Set(Array.from({ length: (wal.length - 32) / 4120 }, (_, i) => wal.readUInt32BE(32 + i * 4120)))
    expect(await check()).toMatchObject({ facts: [], recovered: { pagesChanged: frames.size, without: null } })
  })
})

describe('a WAL that was cut', () => {
  function makeWal(): { readonly frames: number; readonly frameBytes: number } {
    const source = join(place.folder, 'source.db')
    const db = new Database(source)
    db.pragma('journal_mode=WAL')
    db.exec('CREATE TABLE t(a)')
    for (let i = 0; i < 10; i++) db.prepare('INSERT INTO t VALUES(?)').run('x'.repeat(100))
    copyFileSync(source, place.snapshot)
    copyFileSync(`${source}-wal`, `${place.snapshot}-wal`)
    db.close()
    rmSync(source)
    return { frames: (statSync(`${place.snapshot}-wal`).size - 32) / 4120, frameBytes: 4120 }
  }
  const flip = (at: number): void => {
    const bytes = readFileSync(`${place.snapshot}-wal`)
    bytes[at] = (bytes[at] ?? 0) ^ 1
    writeFileSync(`${place.snapshot}-wal`, bytes)
  }

  test.each([
    ['content', 1000],
    ['stored checksum', 17],
    ['salt', 9],
  ])('a byte flipped in the %s of a committed frame is found', async (_, at) => {
    makeWal()
    flip(32 + 4120 * 4 + at)
    const reading = await check()
    expect(rulesIn(reading)).toEqual(['wal-cut'])
    expect(reading.facts).toMatchObject([{ finding: { severity: 'damage', object: { kind: 'file' } } }])
  })

  test('a torn last frame, which a crash leaves, is no finding', async () => {
    const { frames } = makeWal()
    flip(32 + 4120 * (frames - 1) + 1000)
    expect(await check()).toMatchObject({ facts: [], complete: true })
  })

  test('frames of a transaction that was rolled back are no finding', async () => {
    const source = join(place.folder, 'source.db')
    const db = new Database(source)
    db.pragma('journal_mode=WAL')
    db.pragma('cache_size=2')
    db.pragma('cache_spill=2')
    db.exec('CREATE TABLE t(a)')
    db.exec(
      'BEGIN; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) INSERT ' +
        "INTO t SELECT printf('%0500d', i) FROM n; ROLLBACK; INSERT INTO t VALUES(1)",
    )
    copyFileSync(source, place.snapshot)
    copyFileSync(`${source}-wal`, `${place.snapshot}-wal`)
    db.close()
    rmSync(source)
    expect(statSync(`${place.snapshot}-wal`).size).toBeGreaterThan(100_000)
    expect(await check()).toMatchObject({ facts: [], complete: true })
  })
})
