/**
 * `salvage`: a damaged file is held and checked, and its rows are written into a new file. The new file gets its name
 * only when both engines found it sound.
 */

import { closeSync, fsync, linkSync, openSync, unlinkSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { openBackups } from '../../backup/store.ts'
import { requireNewDatabase } from '../../hold/copies/new-database.ts'
import { openFolderOfRun } from '../../hold/snapshot/temporary-folder.ts'
import { systemFailure } from '../../host/failures/system-failure.ts'
import { syncFolder } from '../../host/files/durable.ts'
import { onDisk } from '../../host/files/file-name.ts'
import type { RunId, SnapshotPath } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import type { Rehearsal, RemedyOutcome, RemedyPlan } from '../../model/result/remedy.ts'
import { AccountDraft } from '../../repair/account/account-draft.ts'
import { openRehearsals } from '../../repair/rehearse/rehearse.ts'
import type { SalvageProgress } from '../../repair/salvage/protocol.ts'
import type { SalvageResult } from '../../repair/salvage/salvage-result.ts'
import { salvage } from '../../repair/salvage/salvage.ts'
import { withFileRun, type FileRunOptions } from '../begin/file-run.ts'
import type { RunContext } from '../begin/run-context.ts'
import type { Target } from '../begin/target.ts'
import { ProgressTracker, type ProgressObserver, type RunProgress } from '../progress-tracker.ts'
import { checkGroup, type CheckedFile } from '../remedies/checked-group.ts'
import { bringBackup, type BroughtBackup } from '../remedies/plan/choose-backup.ts'
import { targetsOfBackup } from '../remedies/plan/targets-of-backup.ts'
import { planOf, untriedRemedy } from '../remedies/plan/tried-remedy.ts'
import { outcomeOf } from '../remedies/remedy-outcome.ts'
import { lossesOf, sentenceOf } from './salvage-losses.ts'

export interface SalvageRequest {
  readonly id: RunId
  /** The damaged file. It is never written. */
  readonly target: Target
  /** Absolute path of the new file. */
  readonly to: string
  /** A backup's id, or a sound database file, whose schema is used where that of the file is lost; null for none. */
  readonly from: string | null
  /** Absolute path of the folder of backups; null if none is known. */
  readonly backups: string | null
}

/** @throws {Failure} USAGE as `requireNewDatabase`; INTERRUPTED, and as `withFileRun` */
export async function salvageFile(
  request: SalvageRequest,
  options: FileRunOptions,
  observer: ProgressObserver,
  interrupt: AbortSignal,
): Promise<RemedyOutcome> {
  requireNewDatabase(request.to)
  return withFileRun(options, [request.target], interrupt, async (context, signal) => {
    const tracker = new ProgressTracker(1, observer)
    const { target, from, backups } = request
    await targetsOfBackup(from, [target], backups === null ? null : openBackups(backups))
    const groupObserver = {
      onHolding: (one: Target) => tracker.beginHold(one),
      onChecking: (one: Target) => {
        tracker.beginCheck(one)
        return tracker.pagesOf(one)
      },
    }
    await using group = await checkGroup(
      [target],
      context,
      groupObserver,
      { anyFile: true, isDatabase: false, acceptMounted: false },
      signal,
    )
    const [file] = group.files
    if (file === undefined) throw new Failure('READ_FAILED', `${target.named} was not checked`)
    const working = (progress: RunProgress): void => observer.onProgress(progress)
    return await salvageChecked(file, request, { context, options, working }, signal)
  })
}

interface SalvageTools {
  readonly context: RunContext
  readonly options: FileRunOptions
  readonly working: (progress: RunProgress) => void
}

async function salvageChecked(
  file: CheckedFile,
  request: SalvageRequest,
  means: SalvageTools,
  signal: AbortSignal,
): Promise<RemedyOutcome> {
  const { held } = file
  const plan = planOf('salvage', `the file itself is never written${journalLeft(file)}`, null)
  if (held.kind !== 'snapshot') return outcomeOf(file, untriedRemedy(plan, file.failure ?? notHeldFailure(file)))
  try {
    await using backup = request.from === null ? null : await broughtFor(request, means.context, signal)
    return await writeNew(file, held.snapshot, request, backup, means, signal)
  } catch (error) {
    signal.throwIfAborted()
    const failure = systemFailure(error, { doing: 'salvage into', path: request.to })
    if (!(failure instanceof Failure) || failure.code === 'INTERRUPTED' || failure.code === 'USAGE') throw failure
    return outcomeOf(file, untriedRemedy(plan, asChecked(failure, file)))
  }
}

/** Of a transaction that the check could not end, some pages may be new and some old. */
function journalLeft({ result }: CheckedFile): string {
  const left = result.coverage.skipped.find(({ object }) => object === 'journal')
  return left === undefined ? '' : `; the journal was not rolled back: ${left.why}`
}

/** Where salvage finds no database, the check has said what the file is. */
function asChecked(failure: Failure, { result }: CheckedFile): Failure {
  if (failure.code !== 'NOT_SQLITE' || result.failure === undefined) return failure
  const { code, message, hint, tenantState: tenant } = result.failure
  return new Failure(code, message, { hint, tenant, cause: failure })
}

/** Of the folder beside the new file. */
const prefix = '.holdfast-salvage-'
const elsewhere = 'name a new file in another folder with --to'

/**
 * Works in a folder beside the new file, so that naming it is one step. It is not resumed: a file that was written in
 * part proves nothing. What a killed salvage has left there is deleted first.
 */
async function writeNew(
  file: CheckedFile,
  damaged: Parameters<typeof salvage>[0],
  request: SalvageRequest,
  backup: BroughtBackup | null,
  { context, options, working }: SalvageTools,
  signal: AbortSignal,
): Promise<RemedyOutcome> {
  const { id, to } = request
  await using folder = await openFolderOfRun(dirname(to), prefix, elsewhere)
  using account = new AccountDraft(folder.path)
  const salvaged = await salvage(
    damaged,
    join(folder.path, 'new'),
    {
      folder: folder.path,
      schemaOf: backup?.path ?? null,
      limits: options.check,
      account,
      onProgress: (progress) => working(progressOf(file.target, progress)),
    },
    signal,
  )
  working(workingOn(file.target, 'checking the new file'))
  const rehearsal = await checkNew(salvaged.file as SnapshotPath, request, { context, options, working }, signal)
  const plan: RemedyPlan = {
    ...planOf('salvage', `${sentenceOf(salvaged)}${leftBefore(folder.removed)}${journalLeft(file)}`, null),
    backup: backup?.chosen ?? null,
    losses: lossesOf(salvaged, account.summary),
  }
  const accountPath = await account.publish(id, {
    folder: dirname(to),
    draftIn: folder.path,
    name: `${basename(to)}.account-${id}.json`,
  })
  await giveName(salvaged, to, accountPath)
  const at = new Date().toISOString()
  const applied = {
    change: id as string,
    at,
    method: 'swap',
    pauseMs: null,
    verdict: 'sound',
    healthy: null,
    original: to,
  } as const
  return outcomeOf(file, { ...untriedRemedy(plan), rehearsal }, { applied, account: accountPath })
}

/** @throws {Failure} READ_FAILED if it is not sound */
async function checkNew(
  path: SnapshotPath,
  { to }: SalvageRequest,
  { context, options }: SalvageTools,
  signal: AbortSignal,
): Promise<Rehearsal> {
  const rehearsals = await openRehearsals({ checker: context.checker, folder: context.folder, limits: options.check })
  const about = { tenant: null, path: to, serviceSqlite: null, fileSystem: null, links: 1, verifiedBackup: false }
  const checked = await rehearsals.rehearseFile(
    { path, kept: null, context: { ...about, accept: context.accept }, content: null },
    signal,
  )
  if (checked.kind === 'sound') return checked.rehearsal
  throw new Failure('READ_FAILED', `the rows were written, but the new file is not sound: ${checked.failure.message}`, {
    hint: 'no new file was kept; restore a backup, or compare the damaged file with one',
    cause: checked.failure,
  })
}

/**
 * The new file and its account are on the disk when it has its name. Another file of this name stays.
 * @throws {Failure} USAGE as `requireNewDatabase`: such files may have come meanwhile
 */
async function giveName({ file }: SalvageResult, to: string, account: string): Promise<void> {
  const descriptor = openSync(onDisk(file), 'r')
  try {
    await promisify(fsync)(descriptor)
  } finally {
    closeSync(descriptor)
  }
  try {
    requireNewDatabase(to)
    linkSync(onDisk(file), onDisk(to))
  } catch (error) {
    unlinkSync(onDisk(account))
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') requireNewDatabase(to)
    throw error
  }
  await syncFolder(dirname(to))
}

const leftBefore = (removed: readonly string[]): string =>
  removed.length === 0 ? '' : `; what a killed salvage had left was deleted first (${removed.join(', ')})`

const broughtFor = (
  { target, from, backups }: SalvageRequest,
  { folder, ledger }: RunContext,
  signal: AbortSignal,
): Promise<BroughtBackup> =>
  bringBackup(
    target,
    { from, before: null },
    { backups: backups === null ? null : openBackups(backups), fetch: null, ledger, folder },
    signal,
  )

const notHeldFailure = ({ target }: CheckedFile): Failure =>
  new Failure('READ_FAILED', `no copy of ${target.named} could be taken`)

const workingOn = (target: Target, what: string): RunProgress => ({
  done: 0,
  total: 1,
  holding: [],
  checking: [{ name: target.named, pages: null }],
  working: what,
})

const steps = { trees: 'finding its pages', rows: 'writing its rows', indexes: 'building its indexes' } as const

const progressOf = (target: Target, { step, done, total }: SalvageProgress): RunProgress =>
  workingOn(target, `${steps[step]}: ${Math.floor((100 * done) / Math.max(1, total))} %`)
