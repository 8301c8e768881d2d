/**
 * Phase 1 of a hold: everything that is done, and may be refused, while the tenant still serves. Each file is resolved,
 * opened and judged by itself; a file that cannot be held has its own failure. Disk space, and the length of the pause,
 * are judged for the sum of the files.
 */
import { AsyncDisposables } from '../host/disposal.ts'
import { collectGarbage } from '../host/garbage.ts'
import { Failure } from '../model/failure.ts'
import { count, groupDigits } from '../text/count.ts'
import { inTurn, reportStep, type FileHold } from './file-hold.ts'
import type { HoldProcesses } from './hold-processes.ts'
import type { HoldRequest, TenantConnection } from './hold-request.ts'
import { inspectFiles, resolveNames, type InspectedFile } from './inspect-files.ts'
import { PauseIntent } from './pause/intent.ts'
import { longestPauseMs } from './pause/pause-limits.ts'
import { reserveSpace } from './preflight.ts'
import { Draft } from './snapshot/draft.ts'
import type { PreparedFile } from './snapshot/prepared-file.ts'
import { readIntoCache } from './snapshot/warm-copy.ts'
import { isLarge, stayCold, warmUp } from './snapshot/warm-up.ts'

/** What phase 1 needs of the request. */
type TenantHoldRequest = Omit<HoldRequest, 'files'>

/** `change`: usually nothing is copied in the pause, so no space is reserved and nothing is copied before. */
type HoldPurpose = 'copy' | 'change'

/** Disposing it releases what is left of phase 1 (hold.ts, step 17). */
export interface Prepared extends AsyncDisposable {
  /** Empty if no file can be held: then the service is asked for nothing. */
  readonly files: readonly PreparedFile[]
  /** Null for bare files, and if no file can be held. */
  readonly intent: PauseIntent | null
  readonly wasHealthy: boolean
  /** Whether the files are copied before the pause, as far as that is possible. */
  readonly large: boolean
}

/**
 * Waits if there is no disk space, and inspects everything anew afterwards.
 * @throws {Failure} SERVICE_BUSY, NO_SPACE, TOO_LARGE_FOR_PAUSE, LEDGER_UNUSABLE, and what the service answers; the
 * reason of the signal
 */
export async function prepare(
  holds: readonly FileHold[],
  request: TenantHoldRequest,
  processes: HoldProcesses,
  signal: AbortSignal,
  purpose: HoldPurpose = 'copy',
): Promise<Prepared> {
  requireFew(holds)
  for (;;) {
    const outcome = await prepareIfSpace(holds, request, processes, signal, purpose)
    if (!('untilSpace' in outcome)) return outcome
    // This may last until other tenants are checked. Meanwhile holdfast has no file of this tenant open.
    await outcome.untilSpace
    signal.throwIfAborted()
  }
}

/** @returns the promise to await first if there is no disk space; everything that was opened is then released */
async function prepareIfSpace(
  holds: readonly FileHold[],
  request: TenantHoldRequest,
  processes: HoldProcesses,
  signal: AbortSignal,
  purpose: HoldPurpose,
): Promise<Prepared | { readonly untilSpace: Promise<void> }> {
  const { connection, settings } = request
  await using opened = new AsyncDisposables()
  const resolved = await resolveNames(
    holds.filter(({ failure }) => failure === null),
    request,
  )
  const wasHealthy = resolved.length === 0 || (await requireActive(connection, signal))
  const inspected = await inspectFiles(resolved, opened, request, processes, signal)
  const copyBytes = inspected.reduce((sum, { preflight }) => sum + preflight.copyBytes, 0)
  const untilSpace = purpose === 'copy' && inspected.length > 0 ? reserveSpace(copyBytes, 0, request) : null
  if (untilSpace) {
    untilSpace.catch(() => undefined) // The caller awaits it when everything is released.
    return { untilSpace }
  }
  const drafted = await inTurn(inspected, (file) => ({ ...file, draft: openDraft(file, opened, request) }))
  // Garbage is collected now. In the pause it would prolong the pause; right before it, the process would wait for it.
  if (isLarge(drafted, settings)) await collectInSlot(request)
  const warm =
    purpose === 'copy'
      ? await warmUp(drafted, { opened, connection, settings, guardian: processes.guardian, signal })
      : stayCold(drafted, connection)
  const files = await inTurn(warm, (file) => confirmUnused(file, processes, signal))
  reportStep(files, 'warm')
  const intent = files.length === 0 ? null : await writeIntent(opened, request)
  const rest = opened.move()
  return {
    files,
    intent,
    wasHealthy,
    large: connection !== null && isLarge(files, settings),
    [Symbol.asyncDispose]: () => rest[Symbol.asyncDispose](),
  }
}

/**
 * In a pause slot, so that it does not prolong the pause of another tenant. Not for a bare file: kernel leases stand on
 * it here, and a wait for a slot would keep them for long.
 */
async function collectInSlot({ connection, bounds }: TenantHoldRequest): Promise<void> {
  if (connection === null) collectGarbage()
  else await bounds.inPauseSlot(() => Promise.resolve(collectGarbage()))
}

/** Each file costs a dozen descriptors, and milliseconds of the pause that all of them share. */
const filesMax = 1_000

/** @throws {Failure} TOO_LARGE_FOR_PAUSE */
function requireFew(holds: readonly FileHold[]): void {
  if (holds.length <= filesMax) return
  throw new Failure(
    'TOO_LARGE_FOR_PAUSE',
    `the service lists ${count(holds.length, 'file')} for this tenant; ` +
      `at most ${groupDigits(filesMax)} are held in one pause`,
    { hint: 'check the service\u2019s list of tenants; a tenant with so many files cannot be held as a whole' },
  )
}

/**
 * @returns whether the tenant is healthy: an unhealthy tenant may be checked too, and need not be healthy afterwards
 * @throws {Failure} SERVICE_BUSY if another holder has quiesced it
 */
async function requireActive(connection: TenantConnection | null, signal: AbortSignal): Promise<boolean> {
  if (connection === null) return true
  const { tenant, service } = connection
  const { state, healthy } = await service.tenant(tenant, signal)
  if (state !== 'active') throw new Failure('SERVICE_BUSY', `${tenant} is ${state} already, for another holder`)
  return healthy
}

function openDraft({ hold }: InspectedFile, opened: AsyncDisposables, { folder }: TenantHoldRequest): Draft {
  const draft = opened.add(Draft.open(folder, hold.request.name))
  draft.descriptor('') // Every draft has a database file. It is not made in the pause, which it would lengthen.
  return draft
}

/**
 * For a bare file: waits until it was watched long enough, and then ends its kernel leases. Everything else is ready
 * before, so that the file is locked only for as long as the copy takes.
 * @throws {Failure} IN_USE
 */
async function confirmUnused(file: PreparedFile, { probe }: HoldProcesses, signal: AbortSignal): Promise<PreparedFile> {
  const { unused, files } = file
  if (!unused) return file
  if (!unused.hasKernelLease) await readIntoCache(files, signal)
  await probe.ready()
  await unused.waitUntilWatched(signal)
  unused[Symbol.dispose]()
  return file
}

/**
 * With command hooks the intent is written right before the request (`PauseIntent.write`), not here. After a crash,
 * each intent is followed by a resume command, whether the tenant was paused or not.
 */
async function writeIntent(
  opened: AsyncDisposables,
  { connection, settings }: TenantHoldRequest,
): Promise<PauseIntent | null> {
  if (connection === null) return null
  const { service } = connection
  const intent = opened.add(new PauseIntent({ ...connection, longestMs: longestPauseMs(service, settings) }))
  if (service.via === 'admin-api') await intent.write()
  return intent
}
