/** Journal records that SQLite does not reach are reported if they leave a transaction half done, and only then. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { inspectSnapshotFiles } from '../../../src/check/reader/inspect-files.ts'
import { readJournal } from '../../../src/sqlite/journal/journal.ts'
import { journalAtWork, putLiveSet, recovered, type LiveSet } from '../../support/databases/live-sets.ts'
import { integersFrom } from '../../support/random.ts'

const folder = mkdtempSync(join(tmpdir(), 'journal-cut-'))
afterAll(() => rmSync(folder, { recursive: true }))
const seeds = Number(process.env['HOLDFAST_SEEDS'] ?? 6)
const firstSeed = Number(process.env['HOLDFAST_SEED'] ?? 1) * 1000

function reported(set: LiveSet): readonly string[] {
  const snapshot = join(folder, 'snapshot.db')
  putLiveSet(snapshot, set)
  const { findings, skipped } = inspectSnapshotFiles(snapshot, '3.54.1')
  return [...findings.map(({ rule }) => rule), ...skipped.map(({ why }) => why)]
}

const wounds: Readonly<Record<string, (journal: Buffer, record: number, pageSize: number) => Buffer>> = {
  'a checksum that is wrong': (journal, record, pageSize) => {
    journal.writeUInt8((journal[record + pageSize + 3] ?? 0) ^ 1, record + pageSize + 3)
    return journal
  },
  'a page number of zero': (journal, record) => {
    journal.writeUInt32BE(0, record - 4)
    return journal
  },
  'an end in a record': (journal, record) => journal.subarray(0, record + 100),
  'a sector of zeros': (journal, record) => journal.fill(0, record - 4, record + 508),
  'a header that counts too few': (journal) => {
    const count = journal.readUInt32BE(8)
    if (count !== 0xffff_ffff) journal.writeUInt32BE(count >> 1, 8)
    return journal
  },
  'a later header without its magic': (journal) => {
    const sector = journal.readUInt32BE(20)
    for (let at = sector; at + 8 <= journal.length; at += sector)
      if (journal.subarray(at, at + 8).equals(journal.subarray(0, 8))) return journal.fill(7, at, at + 1)
    return journal
  },
}
/** Of the others a page is not known, and so may have lost nothing. */
const exact = new Set(['a checksum that is wrong', 'a header that counts too few', 'a later header without its magic'])

test.each(Object.keys(wounds))('%s is reported if it leaves a transaction half done', (name) => {
  let losses = 0
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    const random = integersFrom(seed)
    for (const set of journalAtWork(join(folder, `${name} ${seed}`), seed, 6)) {
      expect(reported(set), set.how).toEqual([])
      const { journal } = set
      if (journal === null) continue
      const read = (offset: number, length: number): Uint8Array => journal.subarray(offset, offset + length)
      const contents = readJournal(read, journal.length)
      const records = [...(contents?.records ?? [])].filter(({ page }) => page > 0)
      if (contents === null || records.length < 2) continue
      const record = records[random(records.length)]?.offset ?? 0
      const wounded = { ...set, journal: wounds[name]?.(Buffer.from(journal), record, contents.pageSize) ?? journal }
      const path = join(folder, 'recovered.db')
      const lost = !recovered(path, wounded).equals(recovered(path, set))
      if (lost || exact.has(name)) expect(reported(wounded), set.how).toEqual(lost ? ['journal-cut'] : [])
      losses += Number(lost)
    }
  }
  expect(losses).toBeGreaterThan(name === 'a later header without its magic' ? 0 : 5)
})
