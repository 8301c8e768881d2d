/** Commits behind a WAL header that does not verify are found if SQLite silently drops them, and only then. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, describe, expect, test } from 'vitest'
import { inspectSnapshotFiles } from '../../../src/check/reader/inspect-files.ts'
import { addChecksum, viewOf } from '../../../src/sqlite/wal/wal-checksum.ts'
import { putLiveSet, recovered, walAtWork, type LiveSet } from '../../support/databases/live-sets.ts'
import { integersFrom } from '../../support/random.ts'

const folder = mkdtempSync(join(tmpdir(), 'hidden-'))
afterAll(() => rmSync(folder, { recursive: true }))
const snapshot = join(folder, 'snapshot.db')
const seeds = Number(process.env['HOLDFAST_SEEDS'] ?? 5)
const firstSeed = Number(process.env['HOLDFAST_SEED'] ?? 1)
const steps = 25

/** What is reported of journal and WAL. */
function reported(set: Omit<LiveSet, 'how'>): {
  readonly rules: readonly string[]
  readonly unclear: readonly string[]
} {
  putLiveSet(snapshot, set)
  const { findings, skipped } = inspectSnapshotFiles(snapshot, '3.54.1')
  return { rules: findings.map(({ rule }) => rule), unclear: skipped.map(({ why }) => why) }
}
const silence = { rules: [], unclear: [] }
const unclear = { rules: [], unclear: [expect.stringContaining('one commit lies behind')] }

function withWal(set: LiveSet, change: (wal: Buffer) => Buffer | void): LiveSet {
  const wal = Buffer.from(set.wal ?? Buffer.alloc(0))
  return { ...set, wal: change(wal) ?? wal }
}

function recoveredOrElse(broken: Buffer, set: LiveSet): Buffer {
  try {
    return recovered(join(folder, 'with.db'), set)
  } catch (error) {
    if (error instanceof Database.SqliteError) return broken
    throw error
  }
}

/** True if SQLite recovers another file with the WAL than without it. */
const isLost = (set: LiveSet): boolean => !recovered(join(folder, 'with.db'), set).equals(set.main)
const framesIn = ({ wal }: LiveSet): number => (wal?.length ?? 0) - 32

let made = 0
const states = (seed: number): Generator<LiveSet> => walAtWork(join(folder, `at-work-${made++}.db`), seed, steps)

describe.each(Array.from({ length: seeds }, (_, i) => firstSeed * 1000 + i))('a database at work, seed %i', (seed) => {
  const random = integersFrom(seed)
  test('nothing is reported of a WAL that a kill or a power cut leaves behind', () => {
    for (const set of states(seed)) {
      expect(reported(set), set.how).toEqual(silence)
      if (set.wal === null || set.wal.length === 0) continue
      const cut = random(set.wal.length)
      expect(reported(withWal(set, (wal) => wal.subarray(0, cut))), `${set.how}, cut at ${cut}`).toEqual(silence)
      expect(reported(withWal(set, (wal) => void wal.fill(0, cut))), `${set.how}, zeros from ${cut} on`).toEqual(
        silence,
      )
      expect(reported(withWal(set, (wal) => void wal.fill(0))), `${set.how}, all zeros`).toEqual(silence)
    }
  })

  test('commits that SQLite would drop behind a wounded header are reported, and nothing if none is dropped', () => {
    for (const set of states(seed)) {
      if (framesIn(set) <= 0) continue
      const at = random(32)
      const lost = isLost(set)
      const flipped = reported(withWal(set, (wal) => void wal.writeUInt8((wal[at] ?? 0) ^ (1 << random(8)), at)))
      expect(flipped, `${set.how}, byte ${at} of the header`).toEqual(
        lost ? { rules: ['wal-cut'], unclear: [] } : silence,
      )
      const blank = reported(withWal(set, (wal) => void wal.fill(0, 0, 32)))
      expect(
        blank.rules.length + blank.unclear.length > 0,
        `${set.how}, a header of zeros: ${JSON.stringify(blank)}`,
      ).toBe(lost)
    }
  })

  test('commits behind a damaged frame are reported, and nothing if every page is what they say', () => {
    for (const set of states(seed)) {
      const { wal } = set
      if (wal === null || wal.length < 32) continue
      const pageSize = wal.readUInt32BE(8)
      const frames = Math.floor((wal.length - 32) / (24 + pageSize))
      if (frames < 6) continue
      const head = (frame: number): Buffer => wal.subarray(32 + (frame - 1) * (24 + pageSize))
      const ofNewest = (frame: number): boolean => head(frame).subarray(8, 16).equals(wal.subarray(16, 24))
      const commits = Array.from({ length: frames }, (_, i) => i + 1).filter(
        (n) => ofNewest(n) && head(n).readUInt32BE(4) > 0,
      )
      const commitsFrom = (first: number): number => commits.filter((n) => n >= first).length
      // At least two frames must lie behind it and prove each other. Otherwise it may be the end that a crash has left.
      const frame = 1 + random(frames)
      if (!ofNewest(frame) || (commits.at(-1) ?? 0) < frame + 3) continue
      const whole = recovered(join(folder, 'whole.db'), set)
      for (const hit of ['a byte', 'a sector'] as const) {
        const at = 32 + (frame - 1) * (24 + pageSize)
        const byte = at + random(24 + pageSize)
        const wounded = withWal(set, (bytes) =>
          hit === 'a sector' ? void bytes.fill(0, at, at + 512) : void bytes.writeUInt8((bytes[byte] ?? 0) ^ 1, byte),
        )
        const lost = !recoveredOrElse(Buffer.alloc(0), wounded).equals(whole)
        const got = reported(wounded)
        // A crash may leave one commit behind a hole, or behind the newest commit.
        const hasOwnChecksum = byte - at >= 16 && byte - at < 24
        const isClear =
          hit === 'a sector'
            ? commitsFrom(frame + 1) > 1
            : hasOwnChecksum || !commits.includes(frame - 1) || commitsFrom(frame) > 1
        const expected = !lost ? silence : isClear ? { rules: ['wal-cut'], unclear: [] } : unclear
        // If the header of the frame is damaged, its page is not known.
        if ((hit === 'a byte' && byte - at >= 24) || lost)
          expect(got, `${set.how}, ${hit} of frame ${frame}`).toEqual(expected)
      }
      // A block of the disk covers headers of several small frames, or the end of one frame and the header of the next.
      const block = Math.floor((32 + (frame - 1) * (24 + pageSize)) / 4096) * 4096
      const wounded = withWal(set, (bytes) => void bytes.fill(0, block, Math.min(block + 4096, bytes.length)))
      if (block === 0 || recoveredOrElse(Buffer.alloc(0), wounded).equals(whole)) continue
      const firstBehind = Math.ceil((block + 4096 - 32) / (24 + pageSize)) + 1
      if (commitsFrom(firstBehind) === 0) continue
      expect(reported(wounded), `${set.how}, the block of frame ${frame}`).toEqual(
        commitsFrom(firstBehind) > 1 ? { rules: ['wal-cut'], unclear: [] } : unclear,
      )
    }
  })
})

describe('a WAL of many commits', () => {
  const set = (): LiveSet => {
    for (const one of states(4)) if (framesIn(one) > 40_000 && isLost(one)) return one
    throw new Error('no such state')
  }

  test('is found with both byte orders of its checksums', () => {
    const before = set()
    const pageSize = before.wal?.readUInt32BE(8) ?? 0
    const big = withWal(before, (wal) => {
      wal.writeUInt32BE(0x377f0683, 0)
      let checksum = addChecksum(viewOf(wal), 0, 24, true, [0, 0])
      wal.writeUInt32BE(checksum[0], 24)
      wal.writeUInt32BE(checksum[1], 28)
      for (let at = 32; at + 24 + pageSize <= wal.length; at += 24 + pageSize) {
        checksum = addChecksum(viewOf(wal), at + 24, pageSize, true, addChecksum(viewOf(wal), at, 8, true, checksum))
        wal.writeUInt32BE(checksum[0], at + 16)
        wal.writeUInt32BE(checksum[1], at + 20)
      }
    })
    for (const at of [3, 5, 9, 17, 22, 25]) {
      expect(reported(withWal(big, (wal) => void wal.writeUInt8((wal[at] ?? 0) ^ 1, at))), `byte ${at}`).toEqual({
        rules: ['wal-cut'],
        unclear: [],
      })
    }
  })

  test('whose beginning and first frames are destroyed is not reported as sound', () => {
    const gone = reported(withWal(set(), (wal) => void wal.fill(0, 0, 5000)))
    expect(gone).toEqual({ rules: [], unclear: [expect.stringContaining('its beginning is destroyed')] })
  })

  test('of an unknown format is unclear, and not damage', () => {
    const newer = withWal(set(), (wal) => {
      wal.writeUInt32BE(3_008_000, 4)
      const [one, two] = addChecksum(viewOf(wal), 0, 24, false, [0, 0])
      wal.writeUInt32BE(one, 24)
      wal.writeUInt32BE(two, 28)
    })
    expect(reported(newer)).toEqual({ rules: [], unclear: ['its format is not known'] })
  })

  test('behind whose newest commit lies the rest of one that never happened is not called damaged', () => {
    const path = join(folder, 'dead-commit.db')
    const db = new Database(path)
    db.pragma('journal_mode=WAL')
    db.pragma('wal_autocheckpoint=0')
    db.exec('CREATE TABLE t(a)')
    const [main, before] = [readFileSync(path), readFileSync(`${path}-wal`)]
    db.exec("INSERT INTO t SELECT hex(zeroblob(1000)) FROM json_each('[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18]')")
    const dead = readFileSync(`${path}-wal`)
    db.close()
    // The same log, without the commit whose writer died before others saw it. The next writer begins at its place.
    const next = join(folder, 'next-commit.db')
    putLiveSet(next, { main, wal: before, journal: null })
    const after = new Database(next)
    after.exec("INSERT INTO t VALUES('newer')")
    const newer = readFileSync(`${next}-wal`)
    after.close()
    expect(newer.subarray(0, 32)).toEqual(dead.subarray(0, 32))
    const wal = Buffer.concat([newer, dead.subarray(newer.length)])
    expect(reported({ main, wal, journal: null })).toEqual(unclear)
  })

  test('of which a power cut has written the last commit in part is not called damaged', () => {
    let tried = 0
    for (const set of [...states(11), ...states(12)]) {
      const { wal } = set
      if (wal === null || wal.length < 32) continue
      const frameBytes = 24 + wal.readUInt32BE(8)
      const at = (frame: number): number => 32 + (frame - 1) * frameBytes
      const frames = Array.from({ length: Math.floor((wal.length - 32) / frameBytes) }, (_, i) => i + 1)
      const ours = frames.filter((frame) => wal.subarray(at(frame) + 8, at(frame) + 16).equals(wal.subarray(16, 24)))
      const [before = 0, end = 0] = ours.filter((frame) => wal.readUInt32BE(at(frame) + 4) > 0).slice(-2)
      if (end - before < 5) continue
      const torn = withWal(set, (bytes) => void bytes.fill(0, at(before + 1), at(before + 3)))
      expect(reported(torn).rules, set.how).toEqual([])
      tried++
    }
    expect(tried).toBeGreaterThan(0)
  })

  test('that starts again, or was about to at a power cut, has lost nothing', () => {
    let restarts = 0
    for (let seed = firstSeed; seed < firstSeed + 8; seed++) {
      let before: LiveSet | null = null
      for (const after of states(seed)) {
        const [was, is] = [before?.wal ?? null, after.wal]
        if (before !== null && was !== null && is !== null && was.length > 32 && is.length > 32) {
          // All frames were written into the file, and a new generation begins. All or part of its header is there.
          if (!was.subarray(0, 32).equals(is.subarray(0, 32)) && !isLost(before)) {
            for (const bytes of [4, 12, 20, 28, 32]) {
              const torn = withWal(before, (wal) => void is.copy(wal, 0, 0, bytes))
              expect(reported(torn), `${after.how}, ${bytes} bytes of the new header`).toEqual(silence)
            }
            restarts++
          }
        }
        before = after
      }
    }
    expect(restarts).toBeGreaterThan(3)
  })

  test('is reported whatever page size the wounded header says', () => {
    for (const size of [0, 3, 512, 65_536])
      expect(reported(withWal(set(), (wal) => void wal.writeUInt32BE(size, 8))).rules, String(size)).toEqual([
        'wal-cut',
      ])
  })
})
