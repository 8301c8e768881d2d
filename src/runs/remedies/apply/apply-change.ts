/** Steps 3 to 5 of a remedy: the originals are kept, the live set is changed in a pause, and the result is checked. */

import type {
  ChangeFile,
  ChangeOutcome,
  ChangeRequest,
  KeptOriginal,
  OriginalFile,
} from '../../../hold/change/change-types.ts'
import { change as changeLiveSet } from '../../../hold/change/change.ts'
import { keepOriginal } from '../../../hold/change/original/keep-original.ts'
import { unbounded } from '../../../hold/hold.ts'
import { draftName } from '../../../hold/snapshot/draft.ts'
import type { ChangeId } from '../../../model/brand.ts'
import { invariant } from '../../../model/bug.ts'
import { Failure } from '../../../model/failure.ts'
import { orFailure } from '../../../model/or-failure.ts'
import type { ChangeMethod, RemedyOutcome } from '../../../model/result/remedy.ts'
import type { NonEmpty } from '../../../model/result/verdict.ts'
import type { TargetGroup } from '../../selection/target-groups.ts'
import type { GroupProgress } from '../group-progress.ts'
import type { ReadyFile } from '../plan/tried-remedy.ts'
import { outcomeOf, withoutPlace } from '../remedy-outcome.ts'
import type { RemedyRun } from '../remedy-run.ts'
import type { PristineCopies } from './pristine-copies.ts'
import { RemadeFiles, rehearsedCopyOf } from './remake.ts'
import { isHealthy, seeResult, type SeenResult } from './see-result.ts'
import { takeBack } from './take-back.ts'
import { removeAccount, writeAccount } from './write-account.ts'

export interface PreparedChange {
  readonly change: ChangeId
  /** All files of the tenant. */
  readonly group: TargetGroup
  /** Those that are changed. */
  readonly ready: NonEmpty<ReadyFile>
  readonly pristine: PristineCopies
  /** How long check and rehearsal took, in ms. */
  readonly trialMs: number
}

/**
 * @returns one outcome for each ready file, in their order
 * @throws {Failure} INTERRUPTED, LEDGER_UNUSABLE, what stops a run
 */
export async function applyChange(
  prepared: PreparedChange,
  run: RemedyRun,
  progress: GroupProgress,
  signal: AbortSignal,
): Promise<readonly RemedyOutcome[]> {
  const { change, group, ready, trialMs } = prepared
  const wasHealthy = await isHealthy(run, group[0], signal)
  progress.onStep(ready[0].file, 'keeping the original')
  const original = await orFailure(keepOriginals(prepared, run, signal))
  if (original instanceof Failure) return ready.map((one) => withoutPlace(one, original))
  const accounts = await orFailure(writeAccounts(prepared, run))
  if (accounts instanceof Failure) {
    await original[Symbol.asyncDispose]()
    return withoutAccounts(ready, accounts, prepared, run)
  }
  await using mended = new RemadeFiles(ready, change, run, progress)
  progress.onStep(ready[0].file, 'changing the live file')
  const outcome = await changeOnce(prepared, original, { ms: trialMs, work: mended.work }, run, signal)
  if (outcome.kind === 'unchanged') return await withoutAccounts(mended.files, outcome.failure, prepared, run)
  const names = new Set(ready.map(({ file }) => file.target.named))
  const { written, unconfirmed } = outcome
  const seen = await seeResult(group, names, { written, unconfirmed, wasHealthy }, run, progress, signal)
  const applied = { change, outcome, original, seen, accounts }
  if (seen.unwell === null) return appliedOutcomes(mended.files, applied, run, seen.unseen)
  progress.onStep(ready[0].file, 'taking the change back')
  const { isUndone, failure } = await takeBack(
    change,
    { why: seen.unwell, wasHealthy, unconfirmed: outcome.unconfirmed },
    group[0],
    run,
    signal,
  )
  if (!isUndone) return appliedOutcomes(mended.files, applied, run, failure)
  return mended.files.map(({ file, tried }) => {
    const verdict = seen.verdicts.get(file.target.named) ?? null
    return outcomeOf(file, tried, { failure, takenBack: { change, verdict } })
  })
}

/** The original has its record open until the change has ended. An undo takes it over then. */
async function changeOnce(
  prepared: PreparedChange,
  original: KeptOriginal,
  remake: NonNullable<ChangeRequest['remake']>,
  run: RemedyRun,
  signal: AbortSignal,
): Promise<ChangeOutcome> {
  await using _original = original
  const { context } = run
  const request: ChangeRequest = {
    files: filesOf(prepared, run),
    original,
    method: methodOf(prepared.ready),
    remake,
    roots: context.roots,
    connection: context.connectionOf(prepared.group[0]),
    settings: { ...context.settings, require: 'sealed' },
    folder: context.folder,
    bounds: unbounded,
  }
  return await changeLiveSet(request, context.holdProcesses, signal)
}

const refusedOutcomes = (files: readonly ReadyFile[], failure: Failure): readonly RemedyOutcome[] =>
  files.map(({ file, tried }) => outcomeOf(file, tried, { failure }))

/** Nothing was changed: deletes the accounts of the change. */
async function withoutAccounts(
  files: readonly ReadyFile[],
  failure: Failure,
  { ready, change }: PreparedChange,
  run: RemedyRun,
): Promise<readonly RemedyOutcome[]> {
  for (const { file } of ready) await orFailure(removeAccount(file.target, change, run))
  return refusedOutcomes(files, failure)
}

/** @returns by the name of the file */
async function writeAccounts(
  { ready, change }: PreparedChange,
  run: RemedyRun,
): Promise<ReadonlyMap<string, string | null>> {
  const written = new Map<string, string | null>()
  for (const { file, tried } of ready)
    written.set(file.target.named, await writeAccount(file.target, tried, change, run))
  return written
}

async function keepOriginals(
  { ready, pristine, change }: PreparedChange,
  run: RemedyRun,
  signal: AbortSignal,
): Promise<KeptOriginal> {
  const [first, ...more] = ready
  const originalOf = ({ file: { held, target } }: ReadyFile): OriginalFile => {
    const snapshot = pristine.of(target)
    invariant(held.kind === 'snapshot' && snapshot !== null, 'a file that is ready was held')
    return { named: target.named, snapshot }
  }
  return keepOriginal(
    [originalOf(first), ...more.map(originalOf)],
    await run.placeOf(first.file.target),
    { change, run: run.id, version: run.version, tenant: first.file.target.tenant, remedy: first.tried.plan.do },
    signal,
  )
}

let drafts = 0

function filesOf({ ready: [first, ...more] }: PreparedChange, { context }: RemedyRun): NonEmpty<ChangeFile> {
  const fileOf = (ready: ReadyFile): ChangeFile => {
    const { target, result } = ready.file
    const proof = result.evidence.proofs.at(-1)
    invariant(proof, 'a snapshot has proofs')
    return {
      ...rehearsedCopyOf(ready),
      proof,
      named: target.named,
      expected: true,
      abandonedPauseMs: null,
      name: draftName(`change-${++drafts}`),
      onStep: (step) => context.onStep(target, step),
    }
  }
  return [fileOf(first), ...more.map(fileOf)]
}

/** One change has one method. */
const methodOf = (ready: readonly ReadyFile[]): ChangeMethod =>
  ready.some(({ tried }) => tried.plan.method === 'in-place') ? 'in-place' : 'swap'

interface ApplyResult {
  readonly change: ChangeId
  readonly outcome: Extract<ChangeOutcome, { readonly kind: 'applied' }>
  readonly original: KeptOriginal
  readonly seen: SeenResult
  readonly accounts: ReadonlyMap<string, string | null>
}

/** @param failure why the change could not be taken back, although it must not stay; null if it may */
const appliedOutcomes = (
  files: readonly ReadyFile[],
  { change, outcome, original, seen, accounts }: ApplyResult,
  run: RemedyRun,
  failure: Failure | null,
): readonly RemedyOutcome[] =>
  files.map(({ file, tried }, at) =>
    outcomeOf(file, tried, {
      plan: { ...tried.plan, undo: run.commandsFor(file.target).undo(run.mode, change) },
      applied: {
        change,
        at: outcome.at,
        method: outcome.method,
        pauseMs: outcome.pauseMs === null ? null : Math.round(outcome.pauseMs),
        verdict: seen.verdicts.get(file.target.named) ?? 'inconclusive',
        healthy: seen.healthy,
        original: original.files[at]?.original ?? original.record,
      },
      account: accounts.get(file.target.named) ?? null,
      failure,
    }),
  )
