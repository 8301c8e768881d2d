/**
 * Compares pairs one after the other: both files are acquired and checked as `check` does it, and their snapshots are
 * then read side by side. Both are deleted before the next pair is acquired. Of a pair a file is acquired first and a
 * tenant last. So no tenant is paused for a comparison that can come to nothing.
 */

import type { Checker } from '../../check/check.ts'
import type { CheckedSnapshot } from '../../check/compare/compare-snapshots.ts'
import { comparedFile, fileNotReached, fileOfOneSide } from '../../comparison/files.ts'
import { doubtsIn } from '../../comparison/tables.ts'
import { draftName } from '../../hold/snapshot/draft.ts'
import { Failure } from '../../model/failure.ts'
import type { Comparison, FileComparison, SidePair } from '../../model/result/comparison.ts'
import type { Result } from '../../model/result/report.ts'
import type { AcquiredFile } from '../acquire-file.ts'
import type { Examination } from '../examine.ts'
import type { ProgressObserver } from '../progress-tracker.ts'
import type { PairedFile } from '../selection/pair-files.ts'
import { StopTheLine } from '../stop-the-line.ts'
import { pairProgress, type PairProgress } from './pair-progress.ts'
import { SideFiles, type AcquireFiles } from './side-files.ts'
import type { GivenSide } from './sides.ts'

export interface ComparisonObserver extends ProgressObserver {
  /** Called with each file as it is finished, and in the end with those that the run did not reach. */
  readonly onFile: (file: FileComparison) => void
}

interface ComparisonContext<Side extends GivenSide> {
  readonly sides: SidePair<Side>
  readonly acquire: AcquireFiles<Side>
  readonly checker: Checker
  readonly observer: ComparisonObserver
  /** Writes a file that was compared to the ledger. */
  readonly record: (file: FileComparison) => Promise<void>
}

type Pair = Extract<PairedFile, { readonly kind: 'pair' }>

/**
 * Whatever ends the run early is thrown after the other files were reported as not reached.
 * @throws {Failure} INTERRUPTED, LEDGER_UNUSABLE, and what stops the line
 */
export async function compareInTurn<Side extends GivenSide>(
  files: readonly PairedFile[],
  context: ComparisonContext<Side>,
  signal: AbortSignal,
): Promise<void> {
  const { sides, acquire, observer, record } = context
  const line = new StopTheLine(signal)
  let reported = 0
  const report = (file: FileComparison): void => {
    reported++
    observer.onFile(file)
  }
  const pairs = files.filter((file) => file.kind === 'pair')
  const targetsIn = (side: 'a' | 'b') => pairs.map(({ targets }) => targets[side])
  await using a = new SideFiles(sides.a, acquire, targetsIn('a'))
  await using b = new SideFiles(sides.b, acquire, targetsIn('b'))
  try {
    for (const file of files) {
      if (file.kind !== 'pair') {
        report(onlyIn(file))
        continue
      }
      if (line.reason !== null) throw line.reason
      const names = files.length === 1 ? { a: sides.a.given, b: sides.b.given } : pathsOf(file)
      const progress = pairProgress(names, reported, files.length, observer)
      const { compared, examined } = await comparePair(file, { a, b }, context, progress, signal)
      report(compared)
      for (const one of examined) line.consider(one)
      await record(compared)
    }
  } catch (error) {
    for (const file of files.slice(reported))
      observer.onFile(file.kind === 'pair' ? fileNotReached(file.name, pathsOf(file)) : onlyIn(file))
    throw error
  }
}

const onlyIn = ({ kind, name, target }: Exclude<PairedFile, Pair>): FileComparison =>
  fileOfOneSide(kind, name, target.named)

const pathsOf = ({ targets }: Pair): SidePair<string> => ({ a: targets.a.named, b: targets.b.named })

interface ComparedPair {
  readonly compared: FileComparison
  /** One for each side that was acquired. */
  readonly examined: readonly Examination[]
}

async function comparePair<Side extends GivenSide>(
  pair: Pair,
  from: SidePair<SideFiles<Side>>,
  { sides, checker }: ComparisonContext<Side>,
  progress: PairProgress,
  signal: AbortSignal,
): Promise<ComparedPair> {
  const [early, late] =
    sides.a.kind === 'tenant' && sides.b.kind !== 'tenant' ? (['b', 'a'] as const) : (['a', 'b'] as const)
  const sided = <Value>(ofEarly: Value, ofLate: Value): SidePair<Value> =>
    early === 'a' ? { a: ofEarly, b: ofLate } : { a: ofLate, b: ofEarly }
  const finish = (one: Examination, other: Examination | null, comparison: Comparison | null): ComparedPair => ({
    compared: comparedFile(
      pair.name,
      pathsOf(pair),
      sided<Result | null>(one.result, other?.result ?? null),
      comparison,
    ),
    examined: other === null ? [one] : [one, other],
  })
  signal.throwIfAborted()
  progress.beginHold(early)
  await using earlyFile = await from[early].take(pair.targets[early], draftName('compared-1'))
  if (earlyFile.snapshot === null) return finish(await earlyFile.check(() => undefined), null, null)
  progress.beginHold(late)
  await using lateFile = await from[late].take(pair.targets[late], draftName('compared-2'))
  const onPages = progress.beginChecks()
  const [one, other] = await Promise.all([earlyFile.check(onPages[early]), lateFile.check(onPages[late])])
  if (lateFile.snapshot === null) return finish(one, other, null)
  const snapshots = sided(
    checkedSnapshot(earlyFile.snapshot, one.result),
    checkedSnapshot(lateFile.snapshot, other.result),
  )
  return finish(one, other, await checker.compare(snapshots, signal).catch(notCompared))
}

/**
 * A failure to read a pair side by side is the result of that pair.
 * @throws {Failure} INTERRUPTED, and any error that is no failure
 */
function notCompared(error: unknown): Comparison {
  if (error instanceof Failure && error.code !== 'INTERRUPTED')
    return { why: error.message, tables: [], schemaDifferences: [] }
  throw error
}

const checkedSnapshot = (
  { path, kept }: NonNullable<AcquiredFile['snapshot']>,
  { content, findings, coverage }: Result,
): CheckedSnapshot => ({ path, kept, content: content.tables, doubtOf: doubtsIn(findings, coverage.skipped) })
