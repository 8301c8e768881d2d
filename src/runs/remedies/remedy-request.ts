/** What a command line asks for, and what tenants and bare files need besides. */

import { basename, dirname } from 'node:path'
import { fetchBackup } from '../../backup/fetch.ts'
import type { Backups } from '../../backup/store.ts'
import type { CheckLimits } from '../../check/check.ts'
import type { Command } from '../../config/settings.ts'
import type { OriginalsLocation } from '../../hold/change/change-types.ts'
import { realPathOf } from '../../host/files/path-kind.ts'
import type { ChangeId, RunId } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import type { ChangeMethod } from '../../model/result/remedy.ts'
import type { Result } from '../../model/result/report.ts'
import type { AccountLocation } from '../../repair/account/account-draft.ts'
import { openRehearsals } from '../../repair/rehearse/rehearse.ts'
import type { RunContext } from '../begin/run-context.ts'
import type { Target } from '../begin/target.ts'
import { GroupProgress } from './group-progress.ts'
import type { BackupSource } from './plan/choose-backup.ts'
import { commandsFor, type RestoreOptions } from './plan/commands.ts'
import { mergerWith } from './plan/merge.ts'
import { targetsOfBackup } from './plan/targets-of-backup.ts'
import { planOf, untriedRemedy } from './plan/tried-remedy.ts'
import { tryRepair } from './plan/try-repair.ts'
import { tryRestore } from './plan/try-restore.ts'
import type { RemedyObserver, RemedyRun } from './remedy-run.ts'
import { remedyTargets, type RemedyAction, type RemedyTotals } from './remedy-targets.ts'
import { RestartRetries } from './restart-retries.ts'

export interface RemedyRequest {
  readonly id: RunId
  /** Of holdfast. */
  readonly version: string
  readonly action: RemedyAction
  /** Null for `repair`. */
  readonly restore: RestoreOptions | null
  readonly apply: boolean
  readonly method: ChangeMethod | null
  /** Folders that the command line names; null if it names none. */
  readonly quarantine: string | null
  readonly backups: string | null
  /** Why this damage must not be mended in this run; null if it may. Left out: any may. */
  readonly refuse?: (result: Result) => Failure | null
}

/** What the configuration or the command line gives. */
export interface RemedyLocations {
  /** Null: beside each bare file. */
  readonly quarantine: string | null
  /** Null: beside each bare file, or in the quarantine. */
  readonly accounts: string | null
  /** Null: no store is known. */
  readonly backups: Backups | null
  /** `backups.fetch`, and the name of the service; null without it. */
  readonly fetch: { readonly command: Command; readonly service: string } | null
}

/** What a run is opened with. */
export interface RemedyTools {
  readonly places: RemedyLocations
  readonly limits: CheckLimits
  readonly context: RunContext
}

/** @throws {Failure} USAGE and others, before anything is held */
export async function workOnRemedies(
  targets: readonly Target[],
  refused: ReadonlyMap<Target, Failure>,
  request: RemedyRequest,
  { places, limits, context: given }: RemedyTools,
  observer: RemedyObserver,
  signal: AbortSignal,
): Promise<RemedyTotals> {
  const context = withRealHolds(given)
  const progress = new GroupProgress(targets.length, observer)
  const rehearsals = await openRehearsals({ checker: context.checker, folder: context.folder, limits })
  const { restore } = request
  const meant = await targetsOfBackup(restore?.from ?? null, targets, places.backups)
  const run: Omit<RemedyRun, 'tryOn'> = {
    id: request.id,
    version: request.version,
    mode: restore === null ? 'repair' : 'restore',
    context,
    apply: request.apply,
    method: request.method,
    retries: new RestartRetries(),
    commandsFor: (target) => commandsFor(target, request),
    onPlanned: (target, planned) => observer.onPlanned(target, planned),
    onAway: (target, msMax) => observer.onAway(target, msMax),
    placeOf: (target) => placeOf(target, places),
    accountPlaceOf: (target, change) => accountPlaceOf(target, change, nameInTenant(target, targets), places),
  }
  const shared = {
    rehearsals,
    onStep: progress.onStep,
    folder: context.folder,
    source: {
      backups: places.backups,
      fetch: fetchFor(places, request.version, context),
      ledger: context.ledger,
      folder: context.folder,
    },
  }
  const merge =
    restore === null || restore.merge === null
      ? null
      : mergerWith(restore.merge, context.folder, limits, progress.onStep)
  const tryOn: RemedyRun['tryOn'] = (file, trySignal) => {
    const commands = run.commandsFor(file.target)
    const refusal = request.refuse?.(file.result) ?? null
    if (refusal !== null) return Promise.resolve(untriedRemedy(planOf('nothing', refusal.message, null), refusal))
    if (restore === null) return tryRepair(file, commands, shared, trySignal)
    if (!meant.has(file.target)) return Promise.resolve(untriedRemedy(planOf('nothing', ofOtherFile, null)))
    const tools = { ...shared, checker: context.checker, merge }
    return tryRestore(file, restore, commands, tools, trySignal)
  }
  return remedyTargets(targets, refused, request.action, { ...run, tryOn }, { observer, progress }, signal)
}

const ofOtherFile = 'the backup is of another file of this tenant, and this one is left as it is'

/** No file is changed while its program uses it: where a check only pins, a remedy pauses the tenant all the same. */
const withRealHolds = (context: RunContext): RunContext => ({
  ...context,
  levelFor: (target) => {
    const level = context.levelFor(target)
    return level === 'pinned' ? 'sealed' : level
  },
})

/** What the command brings is checked in this run, and kept in the store. */
function fetchFor({ backups, fetch }: RemedyLocations, version: string, context: RunContext): BackupSource['fetch'] {
  if (backups === null || fetch === null) return null
  const { checker, accept, folder: scratch } = context
  return (wanted, signal) => fetchBackup(wanted, { ...fetch, backups, version, scratch, checker, accept }, signal)
}

/** What tells a file of a tenant from its others, which may have the same name in other folders; null if it has one. */
function nameInTenant(target: Target, targets: readonly Target[]): string | null {
  const names = targets.filter(({ tenant }) => tenant === target.tenant).map(({ named }) => named)
  if (target.tenant === null || names.length < 2) return null
  const name = basename(target.named)
  return new Set(names.map((one) => basename(one))).size === names.length
    ? name
    : `${names.indexOf(target.named) + 1}-${name}`
}

/** Originals of a bare file stay beside it, unless a folder is given. */
async function placeOf({ named }: Target, { quarantine }: RemedyLocations): Promise<OriginalsLocation> {
  if (quarantine !== null) return { kind: 'quarantine', folder: quarantine }
  return { kind: 'beside', file: (await realPathOf(named)) ?? named }
}

/** An account is named by its change; several files of one tenant have one each. */
async function accountPlaceOf(
  { tenant, named }: Target,
  change: ChangeId,
  nameInTenant: string | null,
  { accounts, quarantine }: RemedyLocations,
): Promise<AccountLocation> {
  if (accounts !== null)
    return { folder: accounts, name: nameInTenant === null ? `${change}.json` : `${change}-${nameInTenant}.json` }
  const real = tenant === null ? ((await realPathOf(named)) ?? named) : named
  const name = `${basename(real)}.account-${change}.json`
  const isTooLong = Buffer.byteLength(name) > nameBytesMax
  return { folder: quarantine ?? dirname(real), name: isTooLong ? `account-${change}.json` : name }
}

/** What a file system allows for one name. */
const nameBytesMax = 255
