/**
 * Reads a damaged snapshot a second time, past the page cache. A fault of memory or of a cable must not be taken for
 * the file's. The pages that findings name are compared byte by byte. A file that is not large is checked once more as
 * a whole. It costs nothing where no damage was found.
 */

import { closeSync, openSync, readSync } from 'node:fs'
import type { Checker, CheckOptions } from '../../check/check.ts'
import { systemFailure } from '../../host/failures/system-failure.ts'
import { dropFromCache, openUncached } from '../../host/uncached-file.ts'
import type { SnapshotPath } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import { orFailure } from '../../model/or-failure.ts'
import type { Finding, Rule } from '../../model/result/finding.ts'
import type { Reading } from '../../model/result/reading.ts'
import type { Result, SecondReading } from '../../model/result/report.ts'

/** A larger file is checked a second time only if some of its pages hold other bytes on the disk. In bytes. */
const checkedAgainMax = 64_000_000
/** So many pages are compared at most. */
const pagesMax = 1000

export interface SnapshotInDoubt {
  /** One plain file, as the check has left it. */
  readonly path: SnapshotPath
  readonly bytes: number
  readonly reading: Reading
  readonly findings: readonly Finding[]
}

interface SecondCheck {
  readonly checker: Checker
  readonly options: Omit<CheckOptions, 'map' | 'onProgress'>
  /** The verdict on what a second check has read. */
  readonly judge: (reading: Reading) => Result['verdict']
}

/** About a WAL or a journal that recovery has taken away: a second check cannot find them. */
const notAgain: ReadonlySet<Rule> = new Set<Rule>(['wal-cut', 'journal-cut'])

/**
 * @returns null if the damage is of a kind that a second reading cannot show
 * @throws {Failure} INTERRUPTED
 */
export async function readAgain(snapshot: SnapshotInDoubt, check: SecondCheck): Promise<SecondReading | null> {
  const damage = snapshot.findings.filter(({ rule, severity }) => severity !== 'notice' && !notAgain.has(rule))
  if (damage.length === 0) return null
  try {
    const compared = comparePages(snapshot, pagesOf(damage))
    if (compared.how === 'not-possible') return compared
    if (snapshot.bytes > checkedAgainMax && compared.differing === 0)
      return { ...compared, why: 'a file of this size is not checked a second time as a whole' }
    dropFromCache(snapshot.path)
    const reading = await orFailure(check.checker.check(snapshot.path, check.options))
    if (reading instanceof Failure) {
      if (reading.code === 'INTERRUPTED') throw reading
      return { ...compared, why: `the second check failed: ${reading.message}` }
    }
    return { ...compared, verdict: check.judge(reading) }
  } catch (error) {
    const failure = systemFailure(error, { doing: 'read a snapshot a second time', path: snapshot.path })
    if (!(failure instanceof Failure) || failure.code === 'INTERRUPTED') throw failure
    return { how: 'not-possible', pages: 0, differing: 0, verdict: null, why: failure.message }
  }
}

/** True if the second reading does not show the damage. A second check that came to no end says nothing. */
export const contradicts = ({ verdict }: SecondReading, wasSample: boolean): boolean =>
  verdict === 'sound' || (wasSample && verdict === 'inconclusive')

const pagesOf = (damage: readonly Finding[]): readonly number[] =>
  [...new Set(damage.flatMap(({ page, trail }) => [...(trail ?? []), ...(page === undefined ? [] : [page])]))]
    .filter((page) => page > 0)
    .slice(0, pagesMax)

/** The cached bytes of each page come first: afterwards the kernel may have forgotten them. */
function comparePages({ path, reading: { pageSize } }: SnapshotInDoubt, pages: readonly number[]): SecondReading {
  const cached = openSync(path, 'r')
  try {
    const before = pages.map((page) => readPage(cached, page, pageSize))
    const file = openUncached(path)
    if (typeof file === 'string') return { how: 'not-possible', pages: 0, differing: 0, verdict: null, why: file }
    using disk = file
    const differing = pages.filter(
      (page, i) => Buffer.compare(before[i] ?? none, disk.read((page - 1) * pageSize, pageSize)) !== 0,
    ).length
    return { how: disk.how, pages: pages.length, differing, verdict: null }
  } finally {
    closeSync(cached)
  }
}

const none = new Uint8Array(0)

function readPage(file: number, page: number, pageSize: number): Uint8Array {
  const bytes = new Uint8Array(pageSize)
  return bytes.subarray(0, readSync(file, bytes, 0, pageSize, (page - 1) * pageSize))
}
