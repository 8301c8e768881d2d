/**
 * Runs every decoder of sqlite/ and the whole census on bytes in memory. The result only shows that something was
 * found; the point is that there is a result.
 */

import { isDeepStrictEqual } from 'node:util'
import { findingsOfDifferences, findingsOfNotes } from '../../../src/census/differences/findings.ts'
import { DifferenceSearch } from '../../../src/census/differences/search.ts'
import type { CensusPlan } from '../../../src/census/plan.ts'
import { walkOwners } from '../../../src/census/scan/page-owners.ts'
import { everything, Scanner } from '../../../src/census/scan/scan.ts'
import { tableDigest, emptyTally } from '../../../src/census/scan/tally.ts'
import type { CensusTally } from '../../../src/census/scan/tally.ts'
import { loadCore } from '../../../src/check/reader/pages/compiled-core.ts'
import type { PageSource } from '../../../src/sqlite/accounting/page-source.ts'
import { readTrunk } from '../../../src/sqlite/freelist.ts'
import { readHeader } from '../../../src/sqlite/header.ts'
import { isHot, superJournalName } from '../../../src/sqlite/journal/journal.ts'
import { readRecord } from '../../../src/sqlite/record.ts'
import { findWalCut } from '../../../src/sqlite/wal/wal-cut.ts'
import { readWalIndexHeader } from '../../../src/sqlite/wal/wal-index.ts'
import { readWalHeader, WalScan, walHeaderBytes } from '../../../src/sqlite/wal/wal.ts'
import { accountBothWays } from '../census/account-both-ways.ts'
import type { HostileInput } from './hostile-inputs.ts'

const core = loadCore()

/** @returns how many findings there were */
export function readHostile({ bytes, plan, seed }: HostileInput): number {
  decode(bytes)
  return account(bytes) + count(bytes, plan, seed)
}

function decode(bytes: Buffer): void {
  isHot(bytes.subarray(0, 28), bytes.length)
  superJournalName(bytes.subarray(-8192))
  readWalIndexHeader(bytes.subarray(0, 200))
  readRecord(bytes.subarray(100), 100)
  readTrunk(bytes.subarray(0, 512), 512)
  // The bytes as they are, and as if they were a write-ahead log.
  for (const wal of [bytes, asWal(bytes)]) {
    const header = readWalHeader(wal.subarray(0, walHeaderBytes))
    if (header === null) continue
    const scan = new WalScan(header)
    scan.feed(wal.subarray(walHeaderBytes))
    const read = (offset: number, length: number): Uint8Array | null =>
      offset + length > wal.length ? null : wal.subarray(offset, offset + length)
    findWalCut({ header, state: scan.finish(), checksumBefore: scan.checksum, read }, read)
  }
}

/** The header of a log, before frames made of the bytes. */
function asWal(bytes: Buffer): Buffer {
  const wal = Buffer.concat([Buffer.alloc(walHeaderBytes), bytes])
  wal.writeUInt32BE(0x377f0682, 0)
  wal.writeUInt32BE(3_007_000, 4)
  wal.writeUInt32BE(512, 8)
  return wal
}

const sourceOf = (bytes: Buffer, pageSize: number): PageSource => ({
  fileBytes: bytes.length,
  read(page, into) {
    // Like a file: there is nothing behind its end.
    const from = (page - 1) * pageSize
    return from < 0 || from >= bytes.length ? 0 : bytes.copy(into, 0, from, from + pageSize)
  },
})

function account(bytes: Buffer): number {
  const reading = readHeader(bytes.subarray(0, 100))
  if (
    (reading.kind !== 'header' && reading.kind !== 'wrong') ||
    reading.header === null ||
    reading.header.pageSize - reading.header.reservedBytes < 480
  )
    return 1
  return accountBothWays(reading.header, sourceOf(bytes, reading.header.pageSize)).findings.length
}

function count(bytes: Buffer, plan: CensusPlan, seed: number): number {
  const source = sourceOf(bytes, plan.pageSize)
  const owners = walkOwners(plan, source)
  const [tally, other] = [core, null].map((core) => {
    const tally = emptyTally(plan, [seed, 1])
    new Scanner(plan, owners, source, tally, everything(core)).scan(bytes.subarray(0, plan.pages * plan.pageSize), 1)
    return tally
  }) as [CensusTally, CensusTally]
  // For all bytes, the compiled core and JavaScript must have the same results, to the bit.
  const different = differenceOf(tally, other)
  if (different !== '') throw new Error(`the compiled core counted otherwise: ${different}`)
  const search = new DifferenceSearch(plan, owners, tally)
  for (const pass of search.passes(source)) {
    pass.scanner.scan(bytes.subarray(0, plan.pages * plan.pageSize), 1)
    pass.end()
  }
  for (const tree of plan.trees.keys()) tableDigest(tally, tree)
  return findingsOfNotes(plan, owners, tally).length + findingsOfDifferences(plan, owners, tally, search, source).length
}

/** The names of the results that differ. */
const differenceOf = (one: CensusTally, other: CensusTally): string =>
  Object.keys(one)
    .filter((key) => !isSame(one[key as keyof CensusTally], other[key as keyof CensusTally]))
    .join(', ')

const isSame = (one: unknown, other: unknown): boolean =>
  ArrayBuffer.isView(one) && ArrayBuffer.isView(other)
    ? bytesOf(one).equals(bytesOf(other))
    : isDeepStrictEqual(one, other)
const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength)
