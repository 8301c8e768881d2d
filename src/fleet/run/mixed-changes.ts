/** A change that broke off between the files of a tenant is taken back before the run begins its own work. */

import type { RecoveredChange } from '../../hold/change/change-types.ts'
import { takeBackMixed } from '../../hold/change/recovery/take-back-mixed.ts'
import { unbounded } from '../../hold/hold.ts'
import type { RunContext } from './run-context.ts'

/** @returns what became of each that had broken off so @throws {Failure} INTERRUPTED, LEDGER_UNUSABLE */
export async function takeBackMixedChanges(
  recovered: readonly RecoveredChange[],
  context: RunContext,
  signal: AbortSignal,
): Promise<readonly RecoveredChange[]> {
  const { roots, settings, folder, holdProcesses } = context
  const ended: RecoveredChange[] = []
  for (const one of recovered) {
    const { tenant, files } = one.found.record
    if (!one.isMixed || tenant === null) continue
    const target = { tenant, named: files[0]?.path ?? tenant }
    const request = {
      roots,
      connection: context.connectionOf(target),
      settings,
      folder,
      bounds: unbounded,
      onStep: (step: Parameters<RunContext['onStep']>[1]) => context.onStep(target, step),
    }
    ended.push(await takeBackMixed(one, request, holdProcesses, signal))
  }
  return ended
}
