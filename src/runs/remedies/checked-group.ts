/**
 * The first part of a remedy: all files of a tenant, or one bare file, are held and checked as in any other run. The
 * snapshots stay until the caller disposes of them.
 */

import type { DiagnosisContext } from '../../diagnosis/context.ts'
import { unbounded } from '../../hold/hold.ts'
import { AsyncDisposables } from '../../host/disposal.ts'
import type { SnapshotPath } from '../../model/brand.ts'
import type { Failure } from '../../model/failure.ts'
import type { KeptFiles } from '../../model/kept-file.ts'
import type { Reading } from '../../model/result/reading.ts'
import type { Result } from '../../model/result/report.ts'
import type { RunContext } from '../begin/run-context.ts'
import type { Target } from '../begin/target.ts'
import { examineHeld } from '../confirm/examine-held.ts'
import { addEarlierChecks, type TargetWithHistory } from '../earlier-checks.ts'
import type { PagesObserver } from '../examine.ts'
import { failureFields } from '../file-result.ts'
import { holdTargets, type HeldTarget } from '../hold-targets.ts'
import { withRealHold } from '../notices/in-use.ts'
import type { TargetGroup } from '../selection/target-groups.ts'

/** A file whose snapshot was checked wholly. Recovery has left the snapshot as one plain file. */
interface SettledSnapshot {
  readonly path: SnapshotPath
  readonly kept: KeptFiles
  readonly reading: Reading
  readonly context: DiagnosisContext
}

export interface CheckedFile {
  readonly target: Target
  readonly held: HeldTarget['held']
  readonly result: Result
  /** Why nothing was read, or what the service did not confirm; null if neither. */
  readonly failure: Failure | null
  /** Null if there is nothing that a remedy could be tried on. */
  readonly settled: SettledSnapshot | null
}

export interface CheckedGroup extends AsyncDisposable {
  readonly files: readonly CheckedFile[]
  /** How long the tenant was paused for the snapshots; null for a bare file. */
  readonly pauseMs: number | null
  /** How long the checks took together. */
  readonly checkMs: number
}

export interface GroupObserver {
  readonly onHolding: (target: Target) => void
  readonly onChecking: (target: Target) => PagesObserver
  /** Called after the hold and before the checks, which change the snapshots. */
  readonly onHeld?: (held: readonly HeldTarget[]) => Promise<void>
}

export interface CheckTerms {
  /** A file that is no database is held and checked all the same. */
  readonly anyFile: boolean
  /** Each file is known to be a database, so one that is none is damaged. */
  readonly isDatabase: boolean
  /** See `HoldRequest`. */
  readonly acceptMounted: boolean
}

/** Holds and checks, and writes the results to the ledger. @throws {Failure} INTERRUPTED, LEDGER_UNUSABLE */
export async function checkGroup(
  group: TargetGroup,
  context: RunContext,
  observer: GroupObserver,
  { anyFile, isDatabase, acceptMounted }: CheckTerms,
  signal: AbortSignal,
): Promise<CheckedGroup> {
  await using snapshots = new AsyncDisposables()
  for (const target of group) observer.onHolding(target)
  const [first, ...more] = await addEarlierChecks(context.ledger, group)
  const asExpected = ({ target, earlierChecks }: TargetWithHistory): TargetWithHistory => ({
    target,
    earlierChecks: { ...earlierChecks, hadPages: isDatabase || earlierChecks.hadPages },
  })
  const targets = [asExpected(first), ...more.map(asExpected)] as const
  const held = await holdTargets(targets, context, unbounded, signal, { acceptMounted, anyFile })
  for (const one of held) if (one.held.kind === 'snapshot') snapshots.add(one.held.snapshot)
  await observer.onHeld?.(held)
  const files: CheckedFile[] = []
  for (const one of held) files.push(await checkOne(one, context, observer, signal))
  const rest = snapshots.move()
  return {
    files,
    pauseMs: held[0]?.held.record.timings.pauseMs ?? null,
    checkMs: files.reduce((sum, { result }) => sum + (result.timings.checkMs ?? 0), 0),
    [Symbol.asyncDispose]: () => rest[Symbol.asyncDispose](),
  }
}

async function checkOne(
  heldTarget: HeldTarget,
  context: RunContext,
  observer: GroupObserver,
  signal: AbortSignal,
): Promise<CheckedFile> {
  const { target, held } = heldTarget
  const { result, lastGood, failure, read } = await examineHeld(
    heldTarget,
    context,
    'full',
    observer.onChecking(target),
    signal,
  )
  await Promise.all([
    target.tenant === null ? null : context.ledger?.append({ kind: 'checked', tenant: target.tenant, result }),
    lastGood === null ? null : context.ledger?.storeLastGood(lastGood),
  ])
  const settled =
    held.kind === 'snapshot' && read !== null && failure === null
      ? { path: held.snapshot.path, kept: held.snapshot.kept, ...read }
      : null
  if (failure === null) return { target, held, result, failure, settled }
  const refused = withRealHold(failure, target, context)
  return { target, held, result: { ...result, failure: failureFields(refused) }, failure: refused, settled }
}
