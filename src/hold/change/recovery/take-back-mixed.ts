/**
 * A change that was killed between two files of a tenant: each file is whole, but some are old and some new. The files
 * that it had reached get their originals back, in a pause, as its own run would have done.
 */
import { Failure } from '../../../model/failure.ts'
import { orFailure } from '../../../model/or-failure.ts'
import type { HoldProcesses } from '../../hold-processes.ts'
import type { RecoveredChange, UndoRequest } from '../change-types.ts'
import { undoCommand } from '../record/undo-command.ts'
import { undo } from '../undo.ts'

/**
 * If one of those files was written since, nothing is put back: what was written must not be lost.
 * @returns what became of it
 * @throws {Failure} INTERRUPTED, LEDGER_UNUSABLE; any that leaves the tenant paused, as far as we know
 */
export async function takeBackMixed(
  recovered: RecoveredChange,
  request: Omit<UndoRequest, 'change'>,
  processes: HoldProcesses,
  signal: AbortSignal,
): Promise<RecoveredChange> {
  const { found } = recovered
  const { change } = found.record
  const outcome = await orFailure(undo({ ...request, change: found }, processes, signal))
  const met =
    outcome instanceof Failure ? outcome : outcome.kind === 'unchanged' ? outcome.failure : outcome.unconfirmed
  if (met?.code === 'INTERRUPTED' || met?.tenantState === 'maybe-paused') throw met
  if (outcome instanceof Failure || outcome.kind === 'unchanged') {
    const { code, message } = outcome instanceof Failure ? outcome : outcome.failure
    const next = `check the tenant, and see what each file needs; \`${undoCommand(found.record)}\` tries it again`
    return { ...recovered, sentence: `change ${change} could not be taken back (${code}: ${message}): ${next}` }
  }
  await outcome.written
  const serving = met === null ? '' : `; but then: ${met.code}: ${met.message}`
  const sentence = `change ${change} was taken back: all files of the tenant hold what they held before${serving}`
  return { found, how: 'undone', isMixed: false, sentence }
}
