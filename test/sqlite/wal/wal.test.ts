import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { addChecksum, viewOf } from '../../../src/sqlite/wal/wal-checksum.ts'
import { frameBytesOf, readWalHeader, WalScan, walHeaderBytes } from '../../../src/sqlite/wal/wal.ts'
import type { WalHeader, WalScanState } from '../../../src/sqlite/wal/wal.ts'
import { integersFrom } from '../../support/random.ts'

const folder = mkdtempSync(join(tmpdir(), 'wal-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** The WAL after each of 30 commits. */
let states: Buffer[] = []
let main: Buffer
beforeAll(() => {
  const path = join(folder, 'source.db')
  const db = new Database(path)
  db.pragma('page_size=1024')
  db.pragma('journal_mode=WAL')
  db.pragma('wal_autocheckpoint=0')
  db.exec('CREATE TABLE t(a)')
  states = [readFileSync(`${path}-wal`)]
  for (let i = 0; i < 30; i++) {
    db.prepare('INSERT INTO t VALUES(?)').run('x'.repeat(i * 90))
    states.push(readFileSync(`${path}-wal`))
  }
  main = readFileSync(path)
  db.close()
})

const last = (): Buffer => states.at(-1) ?? Buffer.alloc(0)
function header(): WalHeader {
  const read = readWalHeader(last())
  if (read === null) throw new Error('SQLite wrote a WAL header that we cannot read')
  return read
}

function scan(wal: Uint8Array, pieceBytes: (left: number) => number = (left) => left): WalScanState {
  const scan = new WalScan(header())
  for (let at = walHeaderBytes; at < wal.length;) {
    const bytes = Math.max(1, Math.min(wal.length - at, pieceBytes(wal.length - at)))
    scan.feed(wal.subarray(at, at + bytes))
    at += bytes
  }
  return scan.finish()
}

test('the header of a WAL is read, and a wrong one is refused', () => {
  expect(header()).toMatchObject({
    pageSize: 1024,
    bigEndianChecksums: false,
    checkpointSequence: 0,
    salts: last().subarray(16, 24).toString('hex'),
  })
  for (const at of [0, 5, 9, 13, 17, 25]) {
    const wrong = Buffer.from(last().subarray(0, 32))
    wrong[at] = (wrong[at] ?? 0) ^ 1
    expect(readWalHeader(wrong), `byte ${at}`).toBeNull()
  }
  expect(readWalHeader(new Uint8Array(0))).toBeNull()
  expect(readWalHeader(last().subarray(0, 31))).toBeNull()
})

test('every state of the WAL ends with its commit', () => {
  for (const wal of states) {
    const state = scan(wal)
    expect(state).toMatchObject({
      committedEnd: wal.length,
      validEnd: wal.length,
      stopped: null,
      frames: (wal.length - 32) / 1048,
    })
    expect(state.committedFrames).toBe(state.frames)
  }
  expect(scan(last()).pageCountAfterCommit).toBeGreaterThan(10)
})

test('the result does not depend on the pieces in which the bytes are fed', () => {
  const whole = scan(last())
  const random = integersFrom(5)
  expect(scan(last(), () => 1)).toEqual(whole)
  expect(scan(last(), () => 1 + random(3000))).toEqual(whole)
  expect(scan(last(), () => 1048)).toEqual(whole)
})

test('what follows the last commit does not count as committed', () => {
  const [before, after] = states.slice(-2)
  const cut = (after ?? last()).subarray(0, (before?.length ?? 0) + 1048)
  expect(scan(cut)).toMatchObject({ committedEnd: before?.length, validEnd: cut.length, stopped: null })
  expect(scan(cut.subarray(0, cut.length - 5))).toMatchObject({
    committedEnd: before?.length,
    validEnd: before?.length,
    stopped: 'end',
  })
})

test('an older generation and a broken frame stop the scan', () => {
  const wal = Buffer.from(last())
  wal.writeUInt32BE(1, 32 + 1048 * 9 + 8)
  expect(scan(wal)).toMatchObject({ frames: 9, stopped: 'salts' })
  wal[32 + 1048 * 7 + 500] = 0xee
  expect(scan(wal)).toMatchObject({ frames: 7, stopped: 'checksum', validEnd: 32 + 1048 * 7 })
  expect(scan(wal).committedEnd).toBeLessThanOrEqual(32 + 1048 * 7)
})

test('after going back to the last commit the scan follows a WAL that has grown', () => {
  const scan = new WalScan(header())
  let read = walHeaderBytes
  for (const wal of states) {
    // A part of the next transaction is there already, and will be rewritten.
    scan.feed(wal.subarray(read))
    scan.feed(Buffer.alloc(300, 7))
    scan.feed(Buffer.alloc(900, 7))
    scan.rewind()
    read = scan.state.committedEnd
    expect(read).toBe(wal.length)
  }
})

describe('big-endian checksums', () => {
  test('a WAL with these is scanned, and SQLite agrees', () => {
    const wal = Buffer.from(last())
    wal.writeUInt32BE(0x377f0683, 0)
    let checksum = addChecksum(viewOf(wal), 0, 24, true, [0, 0])
    wal.writeUInt32BE(checksum[0], 24)
    wal.writeUInt32BE(checksum[1], 28)
    for (let at = 32; at < wal.length; at += 1048) {
      checksum = addChecksum(viewOf(wal), at + 24, 1024, true, addChecksum(viewOf(wal), at, 8, true, checksum))
      wal.writeUInt32BE(checksum[0], at + 16)
      wal.writeUInt32BE(checksum[1], at + 20)
    }
    const read = readWalHeader(wal)
    expect(read).toMatchObject({ bigEndianChecksums: true })
    if (read === null) return
    expect(frameBytesOf(read)).toBe(1048)
    const followed = new WalScan(read)
    followed.feed(wal.subarray(32))
    expect(followed.finish()).toMatchObject({ committedEnd: wal.length })
    const path = join(folder, 'big.db')
    writeFileSync(path, main)
    writeFileSync(`${path}-wal`, wal)
    const db = new Database(path)
    expect(db.prepare('SELECT count(*) FROM t').pluck().get()).toBe(30)
    db.close()
  })
})
