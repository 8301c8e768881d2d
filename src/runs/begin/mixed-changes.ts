/** A change that broke off between the files of a tenant is taken back before the run begins its own work. */

import { loadSettings } from '../../config/load.ts'
import type { RecoveredChange } from '../../hold/change/change-types.ts'
import { undoCommand } from '../../hold/change/record/undo-command.ts'
import { takeBackMixed } from '../../hold/change/recovery/take-back-mixed.ts'
import { unbounded } from '../../hold/hold.ts'
import { Failure } from '../../model/failure.ts'
import { orFailure } from '../../model/or-failure.ts'
import type { RunContext } from './run-context.ts'

/**
 * Nothing is taken back while the configuration is invalid: a run that goes on with a copy of it changes no data.
 * @param file the configuration
 * @returns what became of each that had broken off so @throws {Failure} INTERRUPTED, LEDGER_UNUSABLE
 */
export async function takeBackMixedChanges(
  recovered: readonly RecoveredChange[],
  file: string,
  context: RunContext,
  signal: AbortSignal,
): Promise<readonly RecoveredChange[]> {
  const { roots, settings, folder, holdProcesses } = context
  const ended: RecoveredChange[] = []
  for (const one of recovered) {
    const { tenant, files, change } = one.found.record
    if (!one.isMixed || tenant === null) continue
    const invalid = await orFailure(loadSettings(file))
    if (invalid instanceof Failure) {
      const next = `mend it, then run \`${undoCommand(one.found.record)}\``
      const sentence = `change ${change} was not taken back: ${invalid.code}: ${invalid.message}; ${next}`
      ended.push({ ...one, sentence })
      continue
    }
    const target = { tenant, named: files[0]?.path ?? tenant }
    const request = {
      roots,
      connection: context.connectionOf(target),
      settings: { ...settings, require: 'sealed' as const },
      folder,
      bounds: unbounded,
      onStep: (step: Parameters<RunContext['onStep']>[1]) => context.onStep(target, step),
    }
    ended.push(await takeBackMixed(one, request, holdProcesses, signal))
  }
  return ended
}
