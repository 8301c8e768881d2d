/** One change or one undo, from what it prepares before the pause to the record of its end. */
import { monotonicMs } from '../../host/clock.ts'
import type { TenantId } from '../../model/brand.ts'
import { invariant } from '../../model/bug.ts'
import type { Event } from '../../model/event.ts'
import { Failure } from '../../model/failure.ts'
import { orFailure } from '../../model/or-failure.ts'
import type { ChangeMethod, RemedyKind } from '../../model/result/remedy.ts'
import { withSuppressed } from '../../model/suppressed-errors.ts'
import type { FileHold } from '../file-hold.ts'
import type { ProvenFile } from '../file-steps.ts'
import { gravestOf, withTenantState } from '../hold-failure.ts'
import type { HoldProcesses } from '../hold-processes.ts'
import type { HoldRequest } from '../hold-request.ts'
import { inPause } from '../in-pause.ts'
import { prepare } from '../prepare.ts'
import type { ChangeOutcome } from './change-types.ts'
import type { ChangedFile, ChangeState, SeenFile } from './record/change-record.ts'
import type { RecordFile } from './record/record-file.ts'
import { undoCommand } from './record/undo-command.ts'
import { endBrokenChange } from './recovery/end-broken-change.ts'
import { SetChange, type FilePlan } from './set-change.ts'
import type { LiveFolder } from './steps/live-folder.ts'
import { StepReversalError } from './steps/step.ts'

/** What differs between a change and its undo. Disposing of it closes what `prepare` opened. */
export interface ChangeParts extends AsyncDisposable {
  readonly remedy: RemedyKind | 'undo'
  readonly method: ChangeMethod
  readonly record: RecordFile
  readonly states: {
    readonly during: 'prepared' | 'undoing'
    readonly after: 'applied' | 'undone'
    /** If nothing was changed. */
    readonly back: ChangeState
  }
  /** Folders of the live files, as `prepare` opened them. */
  readonly folders: readonly LiveFolder[]
  /** Whether the live set had to be mended anew inside the pause. */
  readonly remade: boolean
  /** Writes what can be written before the pause. @returns the files as the record is to name them */
  prepare(signal: AbortSignal): Promise<readonly ChangedFile[]>
  /** @throws {Failure} REMEDY_STALE if the live set is not what it must be; then nothing is changed */
  plan(files: readonly ProvenFile[], over: AbortSignal, startedMs: number): Promise<readonly FilePlan[]>
  /** Called right before the first name or byte changes. */
  claim(): void
  /** The files for the record when the change is made. */
  changedFiles(after: readonly SeenFile[]): readonly ChangedFile[]
}

type ChangeHoldRequest = Omit<HoldRequest, 'files'>

/** @throws {Failure} INTERRUPTED; nothing is changed then */
export async function changeInHold(
  holds: readonly FileHold[],
  parts: ChangeParts,
  request: ChangeHoldRequest,
  processes: HoldProcesses,
  signal: AbortSignal,
): Promise<ChangeOutcome> {
  await using _parts = parts
  for (const { record } of holds) record.startAttempt()
  let startedMs = monotonicMs()
  const task = new SetChange({
    files: holds.length,
    plan: (files, over) => parts.plan(files, over, startedMs),
    begin: () => parts.claim(),
  })
  let written = Promise.resolve()
  let met: unknown = null
  try {
    parts.record.update({ tidy: false })
    const files = await parts.prepare(signal)
    parts.record.update({ state: parts.states.during, method: parts.method, files })
    await note(parts, request, 'begun')
    await using prepared = await prepare(holds, forChange(request, parts), processes, signal, 'change')
    throwFirst(holds)
    const inSlot = (): ReturnType<typeof inPause> => {
      startedMs = monotonicMs()
      return inPause(task, prepared, [], forChange(request, parts), processes, signal)
    }
    // What follows writes to the disk without a turn of the event loop.
    const ended = await request.bounds.inPauseSlot(inSlot).finally(() => processes.guardian.tellEnded())
    written = ended.written
    throwFirst(holds)
  } catch (error) {
    met = error
  }
  const { after } = task
  // Awaited here: what `parts` has opened is used until the end.
  return after === null
    ? await outcomeWithoutChange(holds, parts, request, task, met)
    : await outcomeOfChange(holds, parts, request, after, met, written)
}

/** Only a seal shows that no program has a file open, which would go on with the old one. */
const forChange = (request: ChangeHoldRequest, { method }: ChangeParts): ChangeHoldRequest => ({
  ...request,
  settings: { ...request.settings, require: 'sealed' },
  acceptMounted: method === 'in-place',
})

function throwFirst(holds: readonly FileHold[]): void {
  const failure = holds.find(({ failure }) => failure !== null)?.failure
  if (failure) throw failure
}

async function outcomeOfChange(
  [first]: readonly FileHold[],
  parts: ChangeParts,
  request: ChangeHoldRequest,
  after: readonly SeenFile[],
  met: unknown,
  written: Promise<void>,
): Promise<ChangeOutcome> {
  invariant(first, 'a change has a file')
  const { record, states, method, remade } = parts
  const unconfirmed = met === null ? null : gravestOf(met)
  // The change stands, whatever fails now: the outcome says so, and the caller meets the failure in `written`.
  const ended = endRecord(parts, after)
  await ended.catch(() => undefined)
  const { at } = record.record
  const noted = note(parts, request, states.after)
  const all = Promise.all([written, ended, noted]).then(() => undefined)
  all.catch(() => undefined)
  return {
    kind: 'applied',
    method,
    at,
    pauseMs: first.record.timings.pauseMs,
    remade,
    unconfirmed,
    record: first.record,
    written: all,
  }
}

/** If it fails, the next run sees by what stands there that the change was made. */
async function endRecord(parts: ChangeParts, after: readonly SeenFile[]): Promise<void> {
  parts.record.update({ state: parts.states.after, files: parts.changedFiles(after) })
  await removeNames(parts)
}

async function outcomeWithoutChange(
  holds: readonly FileHold[],
  parts: ChangeParts,
  request: ChangeHoldRequest,
  task: SetChange,
  met: unknown,
): Promise<ChangeOutcome> {
  const [first] = holds
  invariant(first, 'a change has a file')
  const between = withSuppressed(met).find((one) => one instanceof StepReversalError)
  const failure = between?.failure ?? gravestOf(met ?? new Failure('INTERRUPTED', 'the change was not begun'))
  if (between !== undefined) {
    const { how, isMixed, sentence } = await endBrokenChange(parts.record)
    await orFailure(note(parts, request, how === 'unclear' ? 'rolled-back' : how))
    const hint = isMixed ? `take it back: \`${undoCommand(parts.record.record)}\`` : failure.hint
    const said = new Failure(failure.code, `${failure.message}; ${sentence}`, { cause: met, hint })
    const failed = stateOf(said, holds, request)
    if (how !== parts.states.after) return { kind: 'unchanged', failure: failed, record: first.record }
    const { method, remade, record } = parts
    const { pauseMs } = first.record.timings
    const made = { method, at: record.record.at, pauseMs, remade, record: first.record, written: Promise.resolve() }
    return { kind: 'applied', ...made, unconfirmed: failed }
  }
  await removeNames(parts)
  if (parts.record.record.state === parts.states.during) {
    const files = parts.record.record.files.map((file) => ({ ...file, beside: [] }))
    const { back, during } = parts.states
    parts.record.update({ state: during === 'prepared' && !task.begun ? 'kept' : back, files })
    await orFailure(note(parts, request, during === 'undoing' ? 'applied' : 'rolled-back'))
  }
  if (failure.code === 'INTERRUPTED') throw stateOf(failure, holds, request)
  return { kind: 'unchanged', failure: stateOf(failure, holds, request), record: first.record }
}

function stateOf(failure: Failure, holds: readonly FileHold[], { connection }: ChangeHoldRequest): Failure {
  const [first] = holds
  invariant(first, 'a change has a file')
  const paused = holds.some(({ record }) => record.begun)
  return withTenantState(failure, connection, first.record, paused)
}

/** What cannot be deleted now is deleted by the next run. */
async function removeNames({ folders, record }: ChangeParts): Promise<void> {
  const left: string[] = []
  for (const folder of folders) left.push(...(await folder.removeNamesOf(record.record.change)))
  if (left.length === 0) record.update({ tidy: true })
}

/** A bare file has no tenant, by whose id the ledger could find the line again. */
async function note(
  { record, remedy, method }: ChangeParts,
  { connection }: ChangeHoldRequest,
  how: 'begun' | Extract<Event, { readonly kind: 'change-ended' }>['how'],
): Promise<void> {
  if (connection === null) return
  for (const { path } of record.record.files) {
    const about: { readonly tenant: TenantId; readonly path: string; readonly change: typeof record.record.change } = {
      tenant: connection.tenant,
      path,
      change: record.record.change,
    }
    await connection.ledger.append(
      how === 'begun' ? { kind: 'change-begun', ...about, remedy, method } : { kind: 'change-ended', ...about, how },
    )
  }
}
