/** Takes a change back: because it must not stay, or because a person asks for it. */

import { basename, dirname, join } from 'node:path'
import type { ChangeOutcome, FoundChange } from '../../../hold/change/change-types.ts'
import type { ChangedFile } from '../../../hold/change/record/change-record.ts'
import { findChanges } from '../../../hold/change/recovery/find-changes.ts'
import { undo } from '../../../hold/change/undo.ts'
import { unbounded } from '../../../hold/hold.ts'
import { realPathOf } from '../../../host/files/path-kind.ts'
import type { ChangeId } from '../../../model/brand.ts'
import { Failure } from '../../../model/failure.ts'
import { orFailure } from '../../../model/or-failure.ts'
import type { Target } from '../../begin/target.ts'
import type { TargetGroup } from '../../selection/target-groups.ts'
import type { RemedyRun } from '../remedy-run.ts'
import { isHealthy } from './see-result.ts'

interface TakeBackReason {
  /** One clause. */
  readonly why: string
  /** Before the change; null for a bare file, and if the service did not answer. */
  readonly wasHealthy: boolean | null
  /** Why the tenant was not seen serving after the change; null if it was. */
  readonly unconfirmed: Failure | null
}

/**
 * In a second pause, because the result is damaged or the tenant unwell.
 * @returns what the result reports: the change is undone, or it stands although it must not
 */
export async function takeBack(
  change: ChangeId,
  { why, wasHealthy, unconfirmed: notServing }: TakeBackReason,
  target: Target,
  run: RemedyRun,
  signal: AbortSignal,
): Promise<{ readonly isUndone: boolean; readonly failure: Failure }> {
  const outcome = await orFailure(undoFound(change, target, run, signal))
  const hint = run.commandsFor(target).undo(run.mode, change)
  if (outcome instanceof Failure || outcome.kind === 'unchanged') {
    const reason = outcome instanceof Failure ? outcome : outcome.failure
    // What was written since the change must not be lost: the change stands although the tenant is unwell.
    const code = reason.code === 'REMEDY_STALE' ? 'REMEDY_REFUSED' : reason.code
    return {
      isUndone: false,
      failure: new Failure(code, `${why}; the change could not be taken back: ${reason.message}`, {
        cause: reason,
        // The tenant may be well again by now. If not, it may still be paused.
        tenant: (await isHealthy(run, target, signal)) ? 'active' : (notServing?.tenantState ?? reason.tenantState),
        hint: `take it back by hand: \`${hint}\``,
      }),
    }
  }
  await outcome.written
  const { unconfirmed } = outcome
  if (unconfirmed !== null)
    return {
      isUndone: true,
      failure: new Failure(unconfirmed.code, `${why}; the change was taken back, but then: ${unconfirmed.message}`, {
        cause: unconfirmed,
        tenant: unconfirmed.tenantState,
      }),
    }
  const staysDown = wasHealthy === true && (await isHealthy(run, target, signal)) === false
  return {
    isUndone: true,
    failure: new Failure('REMEDY_REFUSED', `the change was taken back in a second pause: ${why}`, {
      tenant: run.context.connectionOf(target) === null ? 'untouched' : staysDown ? 'maybe-paused' : 'active',
      hint: 'the file is as it was before; the kept original and the account stay where they are',
    }),
  }
}

async function undoFound(
  change: ChangeId,
  target: Target,
  run: RemedyRun,
  signal: AbortSignal,
): Promise<ChangeOutcome> {
  return undoChange(await changeToUndo(change, target, run), target, run, signal)
}

export async function undoChange(
  change: FoundChange,
  target: Target,
  { context }: RemedyRun,
  signal: AbortSignal,
): Promise<ChangeOutcome> {
  return undo(
    {
      change,
      roots: context.roots,
      connection: context.connectionOf(target),
      settings: { ...context.settings, require: 'sealed' },
      folder: context.folder,
      bounds: unbounded,
      onStep: (step) => context.onStep(target, step),
    },
    context.holdProcesses,
    signal,
  )
}

/**
 * The changed file that each target names, by the name of the target. Two files of a tenant may have the same name in
 * two folders. Only if no path agrees, because the folder has another path now, names alone decide.
 */
export async function changedFilesOf(
  { record: { files } }: FoundChange,
  group: TargetGroup,
): Promise<ReadonlyMap<string, ChangedFile>> {
  const byPath = new Map<string, ChangedFile>()
  const byName = new Map<string, ChangedFile>()
  for (const { named } of group) {
    const real = await realPathOf(named)
    const same = files.find(({ path }) => path === real || path === named)
    const alike = files.find(({ path }) => basename(path) === basename(named))
    if (same !== undefined) byPath.set(named, same)
    if (alike !== undefined) byName.set(named, alike)
  }
  return byPath.size > 0 ? byPath : byName
}

/** The main file of the kept set of a changed file. */
export function originalOf({ file }: FoundChange, { original }: ChangedFile): string {
  const main = original.find(({ part }) => part === '')
  return main === undefined ? file : join(dirname(file), main.name)
}

/**
 * @param id null: the newest change of the target that stands
 * @throws {Failure} USAGE if there is no such change, or if it does not stand
 */
export async function changeToUndo(id: string | null, target: Target, run: RemedyRun): Promise<FoundChange> {
  const place = await run.placeOf(target)
  const path = target.tenant === null ? ((await realPathOf(target.named)) ?? target.named) : null
  const own = findChanges(place).filter(
    ({ record }) =>
      record.tenant === target.tenant && (path === null || record.files.some((file) => file.path === path)),
  )
  const name = target.tenant ?? target.named
  if (id !== null) {
    const named = own.find(({ record }) => record.change === id)
    if (named === undefined) throw unknown(`there is no change ${id} of ${name}`)
    if (!['applied', 'unclear'].includes(named.record.state))
      throw unknown(`the change ${id} of ${name} is not in effect: ${named.record.state}`)
    return named
  }
  const standing = own.find(({ record }) => record.state === 'applied')
  if (standing === undefined) throw unknown(`no change of ${name} is left to undo`)
  return standing

  function unknown(why: string): Failure {
    const where = place.kind === 'quarantine' ? place.folder : `the folder of ${place.file}`
    return new Failure('USAGE', `${why} (searched: ${where})`, {
      hint:
        target.tenant !== null
          ? '`holdfast history` names changes'
          : own.length === 0
            ? 'name the folder with --quarantine DIR, if you did so with --apply'
            : 'leave the file as it is: the changes that are known here are no longer in effect',
    })
  }
}
