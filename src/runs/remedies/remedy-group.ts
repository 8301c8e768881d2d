/**
 * The runbook of a remedy, for all files of a tenant or for one bare file:
 *
 * 1. Hold and check (checked-group.ts). Copy what the check would change, if the live set may be changed.
 * 2. Plan and rehearse each file on a copy (try-repair.ts, try-restore.ts). Without --apply that is all.
 * 3. Write the accounts, and keep the originals.
 * 4. Change the live set in a pause (apply-change.ts). If it was written meanwhile, and could not be mended inside of
 *    the pause: begin again with 1, at most twice. If the service was restarted: the same, when it is back.
 * 5. Hold and check again. If the result is not sound or the tenant is unwell: put the originals back in a second
 *    pause.
 *
 * One plan covers all files, and is applied only if each damaged file can be mended.
 */

import { estimateChange, newChangeId } from '../../hold/change/estimate.ts'
import { tryOriginalFolder } from '../../hold/change/original/try-original-folder.ts'
import { monotonicMs } from '../../host/clock.ts'
import { AsyncDisposables } from '../../host/disposal.ts'
import { isMountPoint } from '../../host/files/file-system.ts'
import { realPathOf } from '../../host/files/path-kind.ts'
import type { ChangeId } from '../../model/brand.ts'
import { Failure, failureKinds } from '../../model/failure.ts'
import { orFailure } from '../../model/or-failure.ts'
import type { PlannedRemedy, RemedyOutcome, RemedyPlan } from '../../model/result/remedy.ts'
import type { NonEmpty } from '../../model/result/verdict.ts'
import { humanMs } from '../../text/units.ts'
import type { TargetGroup } from '../selection/target-groups.ts'
import { applyChange } from './apply/apply-change.ts'
import { PristineCopies } from './apply/pristine-copies.ts'
import { writeAccount } from './apply/write-account.ts'
import { checkGroup, type CheckedFile, type CheckedGroup } from './checked-group.ts'
import type { GroupProgress } from './group-progress.ts'
import { earlierPlan, keepPlan } from './plan/keep-plan.ts'
import { planOf, untriedRemedy, type ReadyFile, type TriedFile, type TriedRemedy } from './plan/tried-remedy.ts'
import { outcomeOf, withoutPlace } from './remedy-outcome.ts'
import type { RemedyRun } from './remedy-run.ts'
import { awayMsMax, metRestart, withWayOut } from './restart-retries.ts'

/** A tenant that writes all the time: the first attempt, and two more. */
const staleMax = 3

/**
 * @returns one outcome for each file, in their order
 * @throws {Failure} INTERRUPTED, LEDGER_UNUSABLE, what stops a run; USAGE for a restore of what is sound
 */
export async function remedyGroup(
  group: TargetGroup,
  run: RemedyRun,
  progress: GroupProgress,
  signal: AbortSignal,
): Promise<readonly RemedyOutcome[]> {
  let stale = 0
  for (let attempt = 1; ; attempt++) {
    const outcomes = await attemptOnce(group, run, progress, attempt === 1, signal)
    if (signal.aborted) return outcomes
    if (outcomes.some(isStale) && ++stale < staleMax) continue
    if (!outcomes.some(metRestart)) return outcomes
    if (!(await serviceIsBack(group, run, progress, attempt === 1, signal)))
      return outcomes.map((one, at) => withWayOut(one, group[at] ?? group[0], run.mode, attempt))
  }
}

/** Nothing was changed, because the tenant wrote meanwhile. */
const isStale = ({ result: { applied, failure } }: RemedyOutcome): boolean =>
  applied === null && failure?.code === 'REMEDY_STALE'

async function serviceIsBack(
  [target]: TargetGroup,
  { context, retries, onAway }: RemedyRun,
  progress: GroupProgress,
  isFirst: boolean,
  signal: AbortSignal,
): Promise<boolean> {
  const connection = context.connectionOf(target)
  if (connection === null) return false
  progress.onStep({ target }, 'waiting for the service, which was away')
  if (isFirst && connection.service.via !== 'hooks') onAway(target, awayMsMax)
  return retries.mayTryAgain(connection.service, signal)
}

/** @param isFirst false if an earlier attempt has reported plans of the ledger */
async function attemptOnce(
  group: TargetGroup,
  run: RemedyRun,
  progress: GroupProgress,
  isFirst: boolean,
  signal: AbortSignal,
): Promise<readonly RemedyOutcome[]> {
  const change = newChangeId()
  await using pristine = new PristineCopies(run.context.folder)
  const { onHolding, onChecking } = progress
  const observer = { onHolding, onChecking, ...(run.apply ? { onHeld: pristine.keep } : {}) }
  // A file that is mounted by itself has another name. The person says that no program uses it.
  const terms = { anyFile: run.mode === 'restore', isDatabase: false, acceptMounted: run.method === 'in-place' }
  await using checked = await checkGroup(group, run.context, observer, terms, signal)
  await using trials = new AsyncDisposables()
  const startedAtMs = monotonicMs()
  const files: TriedFile[] = []
  for (const file of checked.files) files.push({ file, tried: trials.add(await tryOn(file, run, signal)) })
  const trialMs = monotonicMs() - startedAtMs
  const costed = await Promise.all(
    files.map(async ({ file, tried }) => ({ file, tried: await withCosts(tried, file, checked, run) })),
  )
  const ready = costed.filter(isReady)
  const blocked = whyBlocked(costed)
  if (run.mode === 'restore') requireReason(costed, run)
  if (ready.length === 0) return costed.map(({ file, tried }) => outcomeOf(file, tried))
  if (blocked !== null)
    return costed.map(({ file, tried }) => outcomeOf(file, tried, tried.candidate === null ? {} : { failure: blocked }))
  const tooLong = whyTooLong(ready, run)
  if (tooLong !== null) return withFailure(costed, tooLong)
  if (!run.apply) {
    const noPlace = await whyNoPlace(ready, change, run)
    if (noPlace !== null)
      return costed.map((one) => (isReady(one) ? withoutPlace(one, noPlace) : outcomeOf(one.file, one.tried)))
    const outcomes: RemedyOutcome[] = []
    for (const one of costed) outcomes.push(await planOutcome(one, change, run, signal))
    return outcomes
  }
  const [first, ...more] = ready
  if (first === undefined) return []
  const before: (PlannedRemedy | null)[] = []
  for (const one of ready) before.push(await earlierPlan(one, run, signal))
  for (const [at, { file }] of ready.entries()) {
    const plan = before[at] ?? null
    if (plan !== null && isFirst) run.onPlanned(file.target, plan)
  }
  const applied = await applyChange(
    { change, group, ready: [first, ...more], pristine, trialMs: checked.checkMs + trialMs },
    run,
    progress,
    signal,
  )
  const changed = new Map(ready.map(({ file }, at) => [file, withPlan(applied[at], before[at] ?? null)]))
  return costed.map(({ file, tried }) => changed.get(file) ?? outcomeOf(file, tried))
}

/** What keeps a remedy from being tried is the result of the file. */
async function tryOn(file: CheckedFile, run: RemedyRun, signal: AbortSignal): Promise<TriedRemedy> {
  const tried = await orFailure(run.tryOn(file, signal))
  if (!(tried instanceof Failure)) return tried
  if (tried.code === 'INTERRUPTED' || failureKinds[tried.code].stopsRun) throw tried
  return untriedRemedy(planOf('nothing', `no remedy could be tried: ${tried.message}`, null), tried)
}

const isReady = (one: TriedFile): one is ReadyFile => one.tried.candidate !== null

/** Each file of a tenant is either sound or can be mended; if not, the failure of those that could be. */
function whyBlocked(files: readonly TriedFile[]): Failure | null {
  const other = files.find(({ file, tried }) => tried.candidate === null && !isWell(file, tried))
  return other === undefined || files.length === 1
    ? null
    : new Failure(
        'REMEDY_REFUSED',
        `nothing was applied: ${other.file.target.named} of the same tenant cannot be mended so`,
        { hint: 'one change covers all files of a tenant: see what the other file needs', tenant: 'active' },
      )
}

const isWell = ({ result }: CheckedFile, { plan, failure }: TriedRemedy): boolean =>
  failure === null && plan.do === 'nothing' && result.verdict === 'sound'

/** A restore of what is sound loses what is newer: a person must say to which state. @throws {Failure} USAGE */
function requireReason(files: readonly TriedFile[], { context }: RemedyRun): void {
  if (!files.every(({ file, tried }) => isWell(file, tried))) return
  const [{ file }] = files as NonEmpty<TriedFile>
  const name = file.target.tenant ?? file.target.named
  throw new Failure('USAGE', `${name} is sound, so it is restored only to a state that you name`, {
    hint: 'add `--before TIME`, or `--from` with the id of a backup (`holdfast backups list`) or a file',
    tenant: context.connectionOf(file.target) === null ? 'untouched' : 'active',
  })
}

const otherNameWarning =
  'the file is mounted by itself: make sure that no program uses its other name, and that no WAL and no journal lies ' +
  'beside that name; after a crash, open the file under this name first'

/** Adds what it costs, and the command that undoes it. */
async function withCosts(
  tried: TriedRemedy,
  file: CheckedFile,
  checked: CheckedGroup,
  run: RemedyRun,
): Promise<TriedRemedy> {
  const { held, target } = file
  if (tried.candidate === null || held.kind !== 'snapshot') return tried
  const sizeOf = (isMain: boolean): number =>
    held.snapshot.files.reduce((sum, { part, bytes }) => sum + ((part === '') === isMain ? bytes : 0), 0)
  const method = run.method ?? 'swap'
  const mendedBytes = tried.candidate.bytes
  // In place no more is written than the new file is long.
  const bytes = { mainBytes: sizeOf(true), companionBytes: sizeOf(false), mendedBytes, differing: mendedBytes }
  const { predictedPauseMs, needsBytes } = estimateChange([bytes], method)
  const isMounted = isMountPoint((await realPathOf(target.named)) ?? target.named)
  const plan: RemedyPlan = {
    ...tried.plan,
    why: isMounted ? `${tried.plan.why}; ${otherNameWarning}` : tried.plan.why,
    method,
    predictedPauseMs:
      run.context.connectionOf(target) === null ? null : Math.ceil(Math.max(predictedPauseMs, checked.pauseMs ?? 0)),
    needsBytes,
    undo: run.commandsFor(target).undo(run.mode, null),
  }
  return { ...tried, plan, [Symbol.asyncDispose]: () => tried[Symbol.asyncDispose]() }
}

/** @returns why the pause would be longer than the configuration allows; null if it would not */
function whyTooLong(ready: readonly ReadyFile[], { context }: RemedyRun): Failure | null {
  const pauseMs = ready.reduce((sum, { tried }) => Math.max(sum, tried.plan.predictedPauseMs ?? 0), 0)
  const { maxPauseMs } = context.settings
  if (pauseMs <= maxPauseMs) return null
  return new Failure(
    'TOO_LARGE_FOR_PAUSE',
    `the tenant would not serve for about ${humanMs(pauseMs)}; hold.maxPause allows ${humanMs(maxPauseMs)}`,
    { tenant: 'active' },
  )
}

/** @returns why the originals could not be kept, as with --apply; null if they could */
async function whyNoPlace(ready: readonly ReadyFile[], change: ChangeId, run: RemedyRun): Promise<Failure | null> {
  const files = ready.flatMap(({ file: { held, target } }) =>
    held.kind === 'snapshot' ? [{ named: target.named, snapshot: held.snapshot }] : [],
  )
  const [first] = ready
  if (first === undefined) return null
  const tried = await orFailure(tryOriginalFolder(files, await run.placeOf(first.file.target), change))
  return tried instanceof Failure ? tried : null
}

const withFailure = (files: readonly TriedFile[], failure: Failure): readonly RemedyOutcome[] =>
  files.map(({ file, tried }) => outcomeOf(file, tried, tried.candidate === null ? {} : { failure }))

/** @param plan of the ledger; null for none */
const withPlan = (outcome: RemedyOutcome | undefined, plan: PlannedRemedy | null): RemedyOutcome | undefined =>
  outcome === undefined || plan === null ? outcome : { ...outcome, result: { ...outcome.result, planned: plan } }

/** The plan without --apply. The account of a tenant's file goes to a folder of ours; that of a bare file does not. */
async function planOutcome(
  one: TriedFile,
  change: ChangeId,
  run: RemedyRun,
  signal: AbortSignal,
): Promise<RemedyOutcome> {
  const { file, tried } = one
  const account = file.target.tenant === null ? null : await writeAccount(file.target, tried, change, run)
  return outcomeOf(file, tried, { account, planned: isReady(one) ? await keepPlan(one, change, run, signal) : null })
}
