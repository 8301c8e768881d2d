/** Notices about the files of a live set: a WAL far larger than its file, a rollback journal weeks old. Pure. */

import type { LiveSetPart } from '../../model/result/evidence.ts'
import type { Finding } from '../../model/result/finding.ts'
import type { Reading } from '../../model/result/reading.ts'
import { count } from '../../text/count.ts'
import { humanBytes, humanMs } from '../../text/units.ts'

/** A file of the live set, as it was beside the service. */
export interface FileOfLiveSet {
  readonly part: LiveSetPart
  readonly bytes: number
  /** ms since 1970. */
  readonly modifiedMs: number
}

/** By default SQLite writes the WAL back after this many pages. A WAL keeps the length that it once had. */
const pagesOfCheckpoint = 1000
/** A WAL of fewer checkpoints is usual: a large transaction makes it so long. */
const checkpointsMax = 4
const timesTheFile = 4
const journalAgeMsMax = 14 * 86_400_000

/**
 * @param files of the live set; none if they are not known
 * @param seenAtMs when they were seen, in ms since 1970
 */
export function noticesOfLiveSet(
  files: readonly FileOfLiveSet[],
  seenAtMs: number,
  { pageSize, recovered }: Pick<Reading, 'pageSize' | 'recovered'>,
): readonly Finding[] {
  const [main, wal, journal] = (['', '-wal', '-journal'] as const).map((part) =>
    files.find((file) => file.part === part),
  )
  const rolledBack = recovered?.companions.some(({ part }) => part === '-journal') === true
  return [
    ...(main !== undefined && wal !== undefined && pageSize > 0 ? walLarge(wal.bytes, main.bytes, pageSize) : []),
    // A journal that is not rolled back is only kept for the next transaction (journal_mode=PERSIST).
    ...(journal !== undefined && rolledBack ? journalOld(seenAtMs - journal.modifiedMs) : []),
  ]
}

function walLarge(walBytes: number, fileBytes: number, pageSize: number): readonly Finding[] {
  const usualMax = checkpointsMax * pagesOfCheckpoint * pageSize
  if (walBytes < usualMax || walBytes < timesTheFile * fileBytes) return []
  return [
    {
      ...notice,
      rule: 'wal-large',
      object: { kind: 'file', name: 'write-ahead log', table: null },
      total: walBytes,
      text:
        `the write-ahead log has ${humanBytes(walBytes)}, and its file only ${humanBytes(fileBytes)}: ` +
        'a reader that never ends keeps SQLite from writing it back, or one transaction was very large',
    },
  ]
}

function journalOld(ageMs: number): readonly Finding[] {
  if (ageMs < journalAgeMsMax) return []
  return [
    {
      ...notice,
      rule: 'journal-old',
      object: { kind: 'file', name: 'rollback journal', table: null },
      text:
        `the rollback journal beside the file is ${humanMs(ageMs)} old ` +
        `(${count(Math.floor(ageMs / 86_400_000), 'day')}): a transaction did not end, and no program has opened ` +
        'the database for writing since',
    },
  ]
}

const notice = { severity: 'notice', source: 'census' } as const
