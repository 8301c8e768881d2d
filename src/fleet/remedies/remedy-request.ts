/** What a command line asks for, and what tenants and bare files need besides. */

import { mkdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Backups } from '../../backup/store.ts'
import type { CheckLimits } from '../../check/check.ts'
import type { OriginalPlace } from '../../hold/change/change-types.ts'
import { systemFailure } from '../../host/failures/system-failure.ts'
import { onDisk } from '../../host/files/file-name.ts'
import { realPathOf } from '../../host/files/path-kind.ts'
import type { ChangeId, RunId } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import type { ChangeMethod } from '../../model/result/remedy.ts'
import { openRehearsals } from '../../repair/rehearse/rehearse.ts'
import type { RunContext } from '../run/run-context.ts'
import type { Target } from '../run/target.ts'
import { writerOfDropped } from './plan/account-of-rebuild.ts'
import { hasVerifiedBackup } from './plan/choose-backup.ts'
import { commandsFor, type RestoreOptions } from './plan/commands.ts'
import { mergerWith } from './plan/merge-newer.ts'
import { tryRepair } from './plan/try-repair.ts'
import type { AccountPlace } from './plan/tried-remedy.ts'
import { tryRestore } from './plan/try-restore.ts'
import type { RemedyObserver, RemedyRun } from './remedy-run.ts'
import { remedyTargets, type Deed } from './remedy-targets.ts'

export interface RemedyRequest {
  readonly id: RunId
  /** Of holdfast. */
  readonly version: string
  readonly deed: Deed
  /** Null for `repair`. */
  readonly restore: RestoreOptions | null
  readonly apply: boolean
  readonly method: ChangeMethod | null
  /** Folders that the command line names; null if it names none. */
  readonly quarantine: string | null
  readonly backups: string | null
}

/** What the configuration or the command line gives. */
export interface RemedyPlaces {
  /** Null: beside each bare file. */
  readonly quarantine: string | null
  /** Null: beside each bare file, or in the quarantine. */
  readonly accounts: string | null
  /** Null: no store is known. */
  readonly backups: Backups | null
}

/** @returns why the run ended early; null if it did not. @throws {Failure} USAGE and others, before anything is held */
export async function workOnRemedies(
  targets: readonly Target[],
  refused: ReadonlyMap<Target, Failure>,
  request: RemedyRequest,
  places: RemedyPlaces,
  limits: CheckLimits,
  context: RunContext,
  observer: RemedyObserver,
  signal: AbortSignal,
): Promise<{ readonly stopped: Failure | null }> {
  await using rehearsals = await openRehearsals({ checker: context.checker, folder: context.folder, limits })
  const { restore, id, version, apply, method } = request
  const run: Omit<RemedyRun, 'tryOn'> = {
    id,
    version,
    mode: restore === null ? 'repair' : 'restore',
    context,
    apply,
    method,
    observer,
    commandsFor: (target) => commandsFor(target, request),
    placeOf: (target) => placeOf(target, places),
    accountPlaceOf: (target, change) => accountPlaceOf(target, change, places),
  }
  return remedyTargets(
    targets,
    refused,
    request.deed,
    (progress) => {
      const { onStep } = progress
      const { checker, folder, ledger } = context
      const source = { backups: places.backups, ledger, folder }
      const accountOf = writerOfDropped(folder)
      const repairTools = {
        rehearsals,
        onStep,
        accountOf,
        hasBackup: ({ target }: { readonly target: Target }) => hasVerifiedBackup(target, source),
      }
      return {
        ...run,
        tryOn: (file, change, trySignal) =>
          restore === null
            ? tryRepair(file, run.commandsFor(file.target), repairTools, trySignal)
            : tryRestore(
                file,
                restore,
                run.commandsFor(file.target),
                {
                  checker,
                  rehearsals,
                  source,
                  onStep,
                  merge: restore.merge === null ? null : mergerWith(restore.merge, change, folder, limits, onStep),
                },
                trySignal,
              ),
      }
    },
    observer,
    signal,
  )
}

/** Originals of a bare file stay beside it, unless a folder is given. */
async function placeOf({ named }: Target, { quarantine }: RemedyPlaces): Promise<OriginalPlace> {
  if (quarantine !== null) return { kind: 'quarantine', folder: quarantine }
  return { kind: 'beside', file: (await realPathOf(named)) ?? named }
}

/** Several files of one tenant have an account each. */
async function accountPlaceOf(
  { tenant, named }: Target,
  change: ChangeId,
  { accounts, quarantine }: RemedyPlaces,
): Promise<AccountPlace> {
  const name = basename(named)
  if (tenant === null && accounts === null) {
    const real = (await realPathOf(named)) ?? named
    return { folder: quarantine ?? dirname(real), name: `${basename(real)}.account-${change}.json` }
  }
  const folder = accounts ?? join(dirname(named), 'accounts')
  await makeFolder(folder)
  return { folder, name: `${change}-${name}.json` }
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(onDisk(folder), { recursive: true, mode: 0o700 })
  } catch (error) {
    throw systemFailure(error, { doing: 'make the folder', path: folder })
  }
}

/** @throws {Failure} USAGE for options that contradict each other */
export function requireConsistent({ deed, apply, restore }: RemedyRequest): void {
  if (deed.kind === 'undo' && apply)
    throw new Failure('USAGE', '--undo is a deed of its own: it goes without --apply')
  if (deed.kind === 'undo' && restore !== null && (restore.from ?? restore.before ?? restore.merge) !== null)
    throw new Failure('USAGE', '--undo goes without --from, --before and --merge-newer')
}
