/** The flow of a remedy around `change`, as the commands have it: hold, keep, settle, mend, change. */
import { defaultLiveSettings } from '../../../src/config/defaults.ts'
import type { ChangeOutcome, OriginalsLocation, Remake, UndoRequest } from '../../../src/hold/change/change-types.ts'
import { change } from '../../../src/hold/change/change.ts'
import { newChangeId } from '../../../src/hold/change/estimate.ts'
import { keepOriginal } from '../../../src/hold/change/original/keep-original.ts'
import { findChanges } from '../../../src/hold/change/recovery/find-changes.ts'
import { undo } from '../../../src/hold/change/undo.ts'
import type { HoldProcesses } from '../../../src/hold/hold-processes.ts'
import { hold, unbounded, type HoldSettings, type TenantConnection } from '../../../src/hold/hold.ts'
import type { ChangeId, RunId } from '../../../src/model/brand.ts'
import type { ChangeMethod } from '../../../src/model/result/remedy.ts'
import type { NonEmpty } from '../../../src/model/result/verdict.ts'
import { rehearse } from './changes.ts'

export interface FlowOptions {
  readonly files: NonEmpty<string>
  readonly connection: TenantConnection | null
  readonly processes: HoldProcesses
  /** Private folder for snapshots. */
  readonly folder: string
  readonly place: OriginalsLocation
  readonly method?: ChangeMethod
  readonly settings?: Partial<HoldSettings>
  readonly remake?: { readonly ms: number; readonly work: Remake }
  readonly mend?: (snapshot: string) => ReturnType<typeof rehearse>
  /** Called when everything is rehearsed, before the change. */
  readonly between?: () => void | Promise<void>
  readonly onStep?: (step: string) => void
  /** False: the caller awaits what is written after the change. */
  readonly awaitWritten?: boolean
  readonly signal?: AbortSignal
  /** The snapshot is taken as of a bare file, without the service: nothing may write to it meanwhile. */
  readonly holdBare?: boolean
}

export const usual: HoldSettings = {
  require: 'sealed',
  ttlMs: 5_000,
  drainTimeoutMs: 1_000,
  maxPauseMs: 5_000,
  warmAboveBytes: 8_000_000,
  trustMounts: [],
  live: defaultLiveSettings,
}
const forever = new AbortController().signal
let names = 0

export interface FlowResult {
  readonly outcome: ChangeOutcome
  readonly change: ChangeId
  /** Main files of the kept originals. */
  readonly originals: readonly string[]
}

export async function changeFlow(options: FlowOptions): Promise<FlowResult> {
  const { files: named, connection, processes, folder, place, method = 'swap', signal = forever } = options
  const fileOf = (one: string) => ({
    named: one,
    expected: true,
    abandonedPauseMs: null,
    name: `flow-${process.pid}-${names++}`,
    onStep: (step: string) => options.onStep?.(step),
  })
  const request = {
    roots: null,
    connection,
    settings: { ...usual, ...options.settings },
    folder,
    bounds: unbounded,
    acceptMounted: method === 'in-place',
  }
  const [first, ...more] = named
  const holding = options.holdBare === true ? { ...request, connection: null } : request
  const held = await hold({ ...holding, files: [fileOf(first), ...more.map(fileOf)] }, processes, signal)
  const snapshots = held.map((one) => {
    if (one.kind !== 'snapshot') throw one.failure
    return { snapshot: one.snapshot, proof: one.record.evidence.proofs.at(-1) }
  })
  try {
    const about = {
      change: newChangeId(),
      run: '01RUN' as RunId,
      version: '0',
      tenant: connection?.tenant ?? null,
      remedy: 'rebuild',
    } as const
    const originals = snapshots.map(({ snapshot }, at) => ({ named: named[at] ?? first, snapshot }))
    await using original = await keepOriginal(originals as never, place, about, signal)
    const changed = snapshots.map(({ snapshot, proof }, at) => ({
      ...fileOf(named[at] ?? first),
      ...(options.mend ?? rehearse)(snapshot.path),
      proof,
    }))
    await options.between?.()
    const outcome = await change(
      { ...request, files: changed as never, original, method, remake: options.remake ?? null },
      processes,
      signal,
    )
    if (outcome.kind === 'applied' && options.awaitWritten !== false) await outcome.written
    return { outcome, change: about.change, originals: original.files.map((one) => one.original) }
  } finally {
    for (const { snapshot } of snapshots) await snapshot[Symbol.asyncDispose]()
  }
}

export async function undoFlow(
  { connection, processes, folder, place, settings, onStep, signal = forever }: Omit<FlowOptions, 'files'>,
  change: ChangeId,
): Promise<ChangeOutcome> {
  const found = findChanges(place).find(({ record }) => record.change === change)
  if (found === undefined) throw new Error('the change is recorded')
  const request: UndoRequest = {
    change: found,
    roots: null,
    connection,
    settings: { ...usual, ...settings },
    folder,
    bounds: unbounded,
    onStep: (step) => onStep?.(step),
  }
  const outcome = await undo(request, processes, signal)
  if (outcome.kind === 'applied') await outcome.written
  return outcome
}
