import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { looksLikePages, readHeader } from '../../src/sqlite/header.ts'
import { isHot, superJournalName } from '../../src/sqlite/journal/journal.ts'
import { isPointerMapPage, lockBytePage, pointerMapPageFor } from '../../src/sqlite/page-layout.ts'
import { varintBytes, varintNumber, varintRowid } from '../../src/sqlite/varint.ts'
import { create, fillEvents, pageSizes } from '../support/databases/create-database.ts'
import { integersFrom } from '../support/random.ts'

const folder = mkdtempSync(join(tmpdir(), 'header-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('the database header', () => {
  test.each(pageSizes)('is read at page size %i', (pageSize) => {
    const path = join(folder, `${pageSize}.db`)
    create(
      path,
      pageSize,
      (db) => {
        fillEvents(50)(db)
        db.pragma('user_version=-3')
        db.pragma('application_id=77')
      },
      ['encoding="UTF-16le"'],
    )
    const bytes = readFileSync(path)
    expect(readHeader(bytes.subarray(0, 100))).toMatchObject({
      kind: 'header',
      header: {
        pageSize,
        reservedBytes: 0,
        readVersion: 1,
        writeVersion: 1,
        pageCount: bytes.length / pageSize,
        pageCountValid: true,
        textEncoding: 2,
        userVersion: -3,
        applicationId: 77,
        schemaFormat: 4,
        largestRoot: 0,
        sqliteVersion: 3_054_001,
      },
    })
  })

  test('is distinguished from an empty file, from another kind of file, and from a wrong header', () => {
    const good = readFileSync(join(folder, '4096.db')).subarray(0, 100)
    expect(readHeader(new Uint8Array(0))).toEqual({ kind: 'empty' })
    expect(readHeader(new Uint8Array(100))).toEqual({ kind: 'not-sqlite' })
    expect(readHeader(good.subarray(0, 50))).toMatchObject({ kind: 'wrong', header: null })
    for (const [at, byte] of [
      [17, 3],
      [18, 3],
      [19, 0],
      [20, 255],
      [21, 65],
      [47, 5],
      [59, 4],
    ] as const) {
      const wrong = Buffer.from(good)
      if (at === 20) wrong.writeUInt16BE(512, 16)
      wrong[at] = byte
      expect(readHeader(wrong), `byte ${at}`).toMatchObject({ kind: 'wrong' })
    }
  })
})

describe('pages behind a broken beginning', () => {
  test.each(pageSizes)('are recognised at page size %i', (pageSize) => {
    const path = join(folder, `pages-${pageSize}.db`)
    create(path, pageSize, fillEvents(600 * Math.max(1, pageSize / 2048)))
    const bytes = readFileSync(path)
    bytes.fill(0x55, 0, 512)
    expect(looksLikePages(bytes.subarray(0, 1 << 20))).toBe(true)
  })

  test('are recognised in a file of two pages, if only the first 100 bytes are gone', () => {
    const path = join(folder, 'two-pages.db')
    create(path, 4096, fillEvents(3))
    const bytes = readFileSync(path)
    bytes.fill(0, 0, 100)
    expect(looksLikePages(bytes.subarray(0, 8192))).toBe(true)
  })

  test('are not recognised in noise, text, zeros or an empty file', () => {
    const random = integersFrom(3)
    for (let i = 0; i < 20; i++)
      expect(looksLikePages(Uint8Array.from({ length: 200_000 }, () => random(256)))).toBe(false)
    expect(looksLikePages(readFileSync(new URL('../../package-lock.json', import.meta.url)).subarray(0, 500_000))).toBe(
      false,
    )
    expect(looksLikePages(readFileSync(process.execPath).subarray(0, 1 << 20))).toBe(false)
    expect(looksLikePages(new Uint8Array(100_000))).toBe(false)
    expect(looksLikePages(new Uint8Array(0))).toBe(false)
  })
})

describe('the rollback journal', () => {
  const magic = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7]
  const trailer = (name: Buffer, sum: number): Buffer => {
    const numbers = Buffer.alloc(8)
    numbers.writeUInt32BE(name.length, 0)
    numbers.writeUInt32BE(sum >>> 0, 4)
    return Buffer.concat([Buffer.from('whatever came before'), name, numbers, Buffer.from(magic)])
  }

  test('is hot with its magic, and not if it was zeroed, cut or is something else', () => {
    expect(isHot(Buffer.from([...magic, ...Array.from({ length: 20 }, () => 0)]), 512)).toBe(true)
    expect(isHot(new Uint8Array(28), 512)).toBe(false)
    expect(isHot(Buffer.from(magic), 8)).toBe(false)
    expect(isHot(new Uint8Array(0), 0)).toBe(false)
  })

  test('names its super-journal, whether bytes are summed signed or unsigned', () => {
    const name = Buffer.from('/srv/notes/\xe4.db-mj0123', 'latin1') // Not UTF-8.
    const unsigned = name.reduce((sum, byte) => sum + byte, 0)
    const signed = name.reduce((sum, byte) => sum + (byte > 127 ? byte - 256 : byte), 0)
    expect(superJournalName(trailer(name, unsigned))).toEqual(name)
    expect(superJournalName(trailer(name, signed))).toEqual(name)
    expect(superJournalName(trailer(name, signed + 1))).toBeNull()
    expect(superJournalName(Buffer.alloc(100))).toBeNull()
    expect(superJournalName(Buffer.alloc(3))).toBeNull()
  })
})

test('varints of all lengths are read', () => {
  for (const [bytes, value] of [
    [[0x7f], 127n],
    [[0x81, 0x00], 128n],
    [[0xff, 0x7f], 16_383n],
    [[0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00], 2n ** 49n],
    [Array.from({ length: 9 }, () => 0xff), -1n],
    [[0xc0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00], -(2n ** 63n)],
  ] as const) {
    const array = Uint8Array.from(bytes)
    expect(varintRowid(array, 0)).toBe(value)
    expect(varintBytes(array, 0)).toBe(bytes.length)
    if (value > 0n) expect(varintNumber(array, 0)).toBe(Number(value))
  }
  expect(varintBytes(Uint8Array.from([0xff, 0xff]), 0)).toBeLessThanOrEqual(9)
})

test('the lock-byte page lies at 1 GiB, and a pointer-map page that would lie there is the next page', () => {
  for (const pageSize of pageSizes)
    expect(lockBytePage({ pageSize, usable: pageSize, autoVacuum: true })).toBe(2 ** 30 / pageSize + 1)
  const layout = { pageSize: 1024, usable: 1024, autoVacuum: true }
  expect(pointerMapPageFor(layout, 2)).toBe(2)
  expect(pointerMapPageFor(layout, 206)).toBe(2)
  expect([206, 207, 208].map((page) => isPointerMapPage(layout, page))).toEqual([false, true, false])
  // With some numbers of reserved bytes a map page would lie there.
  const found = pageSizes
    .flatMap((pageSize) =>
      Array.from({ length: 256 }, (_, reserved) => ({ pageSize, usable: pageSize - reserved, autoVacuum: true })),
    )
    .filter((each) => each.usable >= 480 && (lockBytePage(each) - 2) % (Math.floor(each.usable / 5) + 1) === 0)
  expect(found.length).toBeGreaterThan(0)
  for (const each of found) {
    const lock = lockBytePage(each)
    expect([lock, lock + 1].map((page) => isPointerMapPage(each, page))).toEqual([false, true])
  }
})
