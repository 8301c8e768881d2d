/**
 * The file is restored to what it was before recovery, byte for byte, and the changed pages are counted exactly.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { bringCompanionsBack, putPagesBack } from '../../../src/check/reader/before-recovery.ts'
import { inspectSnapshotFiles } from '../../../src/check/reader/inspect-files.ts'
import { recoverSnapshot } from '../../../src/check/reader/recover.ts'
import { journalAtWork, putLiveSet, walAtWork, type LiveSet } from '../../support/databases/live-sets.ts'

const folder = mkdtempSync(join(tmpdir(), 'before-'))
afterAll(() => rmSync(folder, { recursive: true }))
const database = join(folder, 'database')
const firstSeed = Number(process.env['HOLDFAST_SEED'] ?? 1) * 1000

function pagesApart(a: Buffer, b: Buffer, pageSize: number): number {
  let apart = 0
  for (let at = 0; at < Math.max(a.length, b.length); at += pageSize)
    if (!a.subarray(at, at + pageSize).equals(b.subarray(at, at + pageSize))) apart++
  return apart
}

/** Files and companions of one history, and companions of one beside the file of another. */
function* mixed(states: readonly LiveSet[]): Generator<LiveSet> {
  for (const [i, set] of states.entries()) {
    yield set
    const other = states[(i * 7 + 3) % states.length] ?? set
    yield { ...other, main: set.main, how: `the file of ${set.how}, the companions of ${other.how}` }
  }
}

test.each([
  ['a WAL', (path: string, seed: number) => walAtWork(path, seed, 12)],
  ['a rollback journal', (path: string, seed: number) => journalAtWork(path, seed, 8)],
] as const)('is put back after %s was written into it', (name, work) => {
  let recovered = 0
  for (let seed = firstSeed; seed < firstSeed + 4; seed++) {
    const states = [...work(join(folder, `${name} ${seed}`), seed)]
    const pageSize = states.at(-1)?.main.readUInt16BE(16) ?? 0
    for (const set of mixed(states)) {
      putLiveSet(database, set)
      const { companions } = inspectSnapshotFiles(database, '3.54.1')
      if (companions.length === 0 || set.main.length === 0) continue
      const { recovered: settled, pagesChanged } = recoverSnapshot(database, true, '3.54.1')
      const after = readFileSync(database)
      if (settled) expect(pagesChanged, set.how).toBe(pagesApart(set.main, after, pageSize === 1 ? 65_536 : pageSize))
      expect(putPagesBack(database), set.how).toBe(true)
      expect(readFileSync(database).equals(set.main), set.how).toBe(true)
      expect(
        ['-wal', '-journal'].filter((part) => existsSync(database + part)),
        set.how,
      ).toEqual([])
      bringCompanionsBack(database)
      if (settled) expect(existsSync(`${database}-wal`) || existsSync(`${database}-journal`), set.how).toBe(false)
      for (const part of ['-before', '-aside-shm']) rmSync(database + part, { force: true })
      recovered++
    }
  }
  expect(recovered).toBeGreaterThan(30)
})
