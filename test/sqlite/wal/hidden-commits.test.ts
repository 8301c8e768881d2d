/** Commits behind a WAL header that does not verify: found where SQLite drops them in silence, and nowhere else. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, describe, expect, test } from 'vitest'
import { inspectFiles } from '../../../src/check/reader/inspect-files.ts'
import { addChecksum, viewOf } from '../../../src/sqlite/wal/wal-checksum.ts'
import { putLiveSet, recovered, walAtWork, type LiveSet } from '../../support/databases/live-sets.ts'
import { randomFrom } from '../../support/differential/referee.ts'

const folder = mkdtempSync(join(tmpdir(), 'hidden-'))
afterAll(() => rmSync(folder, { recursive: true }))
const snapshot = join(folder, 'snapshot.db')
const seeds = Number(process.env['HOLDFAST_SEEDS'] ?? 5)
const firstSeed = Number(process.env['HOLDFAST_SEED'] ?? 1)
const steps = 25

/** What is said of journal and WAL. */
function said(set: Omit<LiveSet, 'how'>): { readonly rules: readonly string[]; readonly unclear: readonly string[] } {
  putLiveSet(snapshot, set)
  const { findings, skipped } = inspectFiles(snapshot, '3.54.1')
  return { rules: findings.map(({ rule }) => rule), unclear: skipped.map(({ why }) => why) }
}
const silence = { rules: [], unclear: [] }

function withWal(set: LiveSet, change: (wal: Buffer) => Buffer | void): LiveSet {
  const wal = Buffer.from(set.wal ?? Buffer.alloc(0))
  return { ...set, wal: change(wal) ?? wal }
}

function recoveredOr(broken: Buffer, set: LiveSet): Buffer {
  try {
    return recovered(join(folder, 'with.db'), set)
  } catch (error) {
    if (error instanceof Database.SqliteError) return broken
    throw error
  }
}

/** Does SQLite leave another file with the WAL than without it? */
const isLost = (set: LiveSet): boolean => !recovered(join(folder, 'with.db'), set).equals(set.main)
const framesIn = ({ wal }: LiveSet): number => (wal?.length ?? 0) - 32

let made = 0
const states = (seed: number): Generator<LiveSet> => walAtWork(join(folder, `at-work-${made++}.db`), seed, steps)

describe.each(Array.from({ length: seeds }, (_, i) => firstSeed * 1000 + i))('a database at work, seed %i', (seed) => {
  const random = randomFrom(seed)
  test('says nothing of a WAL that a kill or a power cut leaves behind', () => {
    for (const set of states(seed)) {
      expect(said(set), set.how).toEqual(silence)
      if (set.wal === null || set.wal.length === 0) continue
      const cut = random(set.wal.length)
      expect(said(withWal(set, (wal) => wal.subarray(0, cut))), `${set.how}, cut at ${cut}`).toEqual(silence)
      expect(said(withWal(set, (wal) => void wal.fill(0, cut))), `${set.how}, zeros from ${cut} on`).toEqual(silence)
      expect(said(withWal(set, (wal) => void wal.fill(0))), `${set.how}, all zeros`).toEqual(silence)
    }
  })

  test('tells what SQLite would drop behind a wounded header, and is silent where nothing is dropped', () => {
    for (const set of states(seed)) {
      if (framesIn(set) <= 0) continue
      const at = random(32)
      const lost = isLost(set)
      const flipped = said(withWal(set, (wal) => void wal.writeUInt8((wal[at] ?? 0) ^ (1 << random(8)), at)))
      expect(flipped, `${set.how}, byte ${at} of the header`).toEqual(
        lost ? { rules: ['wal-cut'], unclear: [] } : silence,
      )
      const blank = said(withWal(set, (wal) => void wal.fill(0, 0, 32)))
      expect(
        blank.rules.length + blank.unclear.length > 0,
        `${set.how}, a header of zeros: ${JSON.stringify(blank)}`,
      ).toBe(lost)
    }
  })

  test('tells commits behind a frame that is hit, and is silent where every page is what they say', () => {
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
      // Behind it, and proven without it, two frames at least: else it may be the end that a crash has left.
      const frame = 1 + random(frames)
      if (!ofNewest(frame) || (commits.at(-1) ?? 0) < frame + 3) continue
      const whole = recovered(join(folder, 'whole.db'), set)
      for (const hit of ['a byte', 'a sector'] as const) {
        const at = 32 + (frame - 1) * (24 + pageSize)
        const byte = at + random(24 + pageSize)
        const wounded = withWal(set, (bytes) =>
          hit === 'a sector' ? void bytes.fill(0, at, at + 512) : void bytes.writeUInt8((bytes[byte] ?? 0) ^ 1, byte),
        )
        const lost = !recoveredOr(Buffer.alloc(0), wounded).equals(whole)
        const got = said(wounded)
        // Where the frame's own header is hit, nobody can say which page it was of.
        if ((hit === 'a byte' && byte - at >= 24) || lost) {
          expect(got, `${set.how}, ${hit} of frame ${frame}`).toEqual(
            lost ? { rules: ['wal-cut'], unclear: [] } : silence,
          )
        }
      }
    }
  })
})

describe('a WAL of many commits', () => {
  const set = (): LiveSet => {
    for (const one of states(4)) if (framesIn(one) > 40_000 && isLost(one)) return one
    throw new Error('no such state')
  }

  test('is found by either order of its checksums', () => {
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
      expect(said(withWal(big, (wal) => void wal.writeUInt8((wal[at] ?? 0) ^ 1, at))), `byte ${at}`).toEqual({
        rules: ['wal-cut'],
        unclear: [],
      })
    }
  })

  test('whose beginning is destroyed, frames and all, is not called sound', () => {
    const gone = said(withWal(set(), (wal) => void wal.fill(0, 0, 5000)))
    expect(gone).toEqual({ rules: [], unclear: [expect.stringContaining('its beginning is destroyed')] })
  })

  test('of a format that is not known is not understood, and no damage', () => {
    const newer = withWal(set(), (wal) => {
      wal.writeUInt32BE(3_008_000, 4)
      const [one, two] = addChecksum(viewOf(wal), 0, 24, false, [0, 0])
      wal.writeUInt32BE(one, 24)
      wal.writeUInt32BE(two, 28)
    })
    expect(said(newer)).toEqual({ rules: [], unclear: ['its format is not known'] })
  })

  test('that begins anew, or was about to when the power went, has lost nothing', () => {
    let restarts = 0
    for (let seed = firstSeed; seed < firstSeed + 8; seed++) {
      let before: LiveSet | null = null
      for (const after of states(seed)) {
        const [was, is] = [before?.wal ?? null, after.wal]
        if (before !== null && was !== null && is !== null && was.length > 32 && is.length > 32) {
          // All frames were written into the file, and a new generation begins: its header is there, or half of it.
          if (!was.subarray(0, 32).equals(is.subarray(0, 32)) && !isLost(before)) {
            for (const bytes of [4, 12, 20, 28, 32]) {
              const torn = withWal(before, (wal) => void is.copy(wal, 0, 0, bytes))
              expect(said(torn), `${after.how}, ${bytes} bytes of the new header`).toEqual(silence)
            }
            restarts++
          }
        }
        before = after
      }
    }
    expect(restarts).toBeGreaterThan(3)
  })

  test('is told whatever page size the wounded header says', () => {
    for (const size of [0, 3, 512, 65_536])
      expect(said(withWal(set(), (wal) => void wal.writeUInt32BE(size, 8))).rules, String(size)).toEqual(['wal-cut'])
  })
})
