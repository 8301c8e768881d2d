/**
 * First phase of a hold: everything that is done, and may be refused, while nobody stands still yet. Each file is
 * resolved, opened and judged by itself, and what cannot be held is that file's own result. Room on the disk, and the
 * length of the pause, are asked for the sum.
 */
import { AsyncDisposables } from '../host/disposal.ts'
import type { LivePath } from '../model/brand.ts'
import { Failure } from '../model/failure.ts'
import { count, grouped } from '../text/count.ts'
import { inTurn, tellStep, type FileHold } from './file-hold.ts'
import type { HoldProcesses } from './hold-processes.ts'
import type { HoldRequest, TenantKeeper } from './hold-request.ts'
import { LiveFiles } from './live/live-files.ts'
import { requireNoCompanion, resolveLivePath } from './live/live-path.ts'
import { PauseIntent } from './pause/intent.ts'
import { longestPauseMs } from './pause/pause.ts'
import { preflight, requireSpace, type PreflightResult } from './preflight.ts'
import { conflictNamer } from './seal/conflict.ts'
import { requireNoLease, requireUnused, type UnusedFile } from './seal/unused.ts'
import { Draft } from './snapshot/draft.ts'
import { readIntoCache, type WarmCopy } from './snapshot/warm-copy.ts'
import { isLarge, warmUp } from './snapshot/warm-up.ts'

/** A file that may be copied as soon as its tenant stands still. */
export interface PreparedFile {
  readonly hold: FileHold
  readonly files: LiveFiles
  readonly outlook: PreflightResult
  /** Of a bare file, until it is locked; null for a tenant's. */
  readonly unused: UnusedFile | null
  readonly draft: Draft
  readonly warm: WarmCopy | null
}

export interface Prepared extends AsyncDisposable {
  /** Empty if no file can be held: then nothing is asked of the tenant. */
  readonly files: readonly PreparedFile[]
  /** Null for bare files, and where no file can be held. */
  readonly announced: PauseIntent | null
  readonly wasHealthy: boolean
  /** Worth preparing the process for, too. */
  readonly large: boolean
}

type ResolvedFile = Pick<PreparedFile, 'hold'> & { readonly path: LivePath }
type Judged = Omit<PreparedFile, 'draft' | 'warm'>

/**
 * Waits for room on the disk where there is none, and inspects everything anew afterwards.
 * @throws {Failure} SERVICE_BUSY, NO_SPACE, TOO_LARGE_FOR_PAUSE, LEDGER_UNUSABLE, and what the service answers; the
 * reason of the signal
 */
export async function prepare(
  holds: readonly FileHold[],
  request: HoldRequest,
  companions: HoldProcesses,
  signal: AbortSignal,
): Promise<Prepared> {
  const { keeper, folder, settings } = request
  requireFew(holds)
  for (;;) {
    await using opened = new AsyncDisposables()
    const resolved = await resolve(
      holds.filter(({ failure }) => failure === null),
      request,
    )
    const wasHealthy = resolved.length === 0 || (await lookBefore(keeper, signal))
    const seen = new Map<string, string>()
    const judged = await inTurn(resolved, async (file) =>
      requireOwnName(await inspect(file, opened, request, companions, signal), seen),
    )
    const copyBytes = judged.reduce((sum, { outlook }) => sum + outlook.copyBytes, 0)
    const room = judged.length === 0 ? null : askForRoom(copyBytes, request)
    if (room) {
      // The wait may take as long as the checks of others: nothing of ours stays open.
      await opened[Symbol.asyncDispose]()
      await room
      signal.throwIfAborted()
      continue
    }
    if (judged.length > 0) requireSpace(folder, copyBytes)
    const drafted = await inTurn(judged, async (file) => ({
      ...file,
      draft: await openDraft(file.hold, opened, folder),
    }))
    const warm = await warmUp(drafted, { opened, keeper, settings, guardian: companions.guardian, signal })
    const files = await inTurn(warm, (file) => confirmUnused(file, companions, signal))
    tellStep(files, 'warm')
    const announced = files.length === 0 ? null : await announce(opened, request)
    const kept = opened.move()
    return {
      files,
      announced,
      wasHealthy,
      large: isLarge(files, settings),
      [Symbol.asyncDispose]: () => kept[Symbol.asyncDispose](),
    }
  }
}

/** Each costs a dozen descriptors, and milliseconds of the pause that all of them share. */
const filesMax = 1_000

/** @throws {Failure} TOO_LARGE_FOR_PAUSE */
function requireFew(holds: readonly FileHold[]): void {
  if (holds.length <= filesMax) return
  throw new Failure(
    'TOO_LARGE_FOR_PAUSE',
    `the service lists ${count(holds.length, 'file')} for this tenant; ` +
      `at most ${grouped(filesMax)} are held in one pause`,
    { hint: 'look at the service\u2019s list of tenants; a tenant with so many files cannot be held as a whole' },
  )
}

const resolve = (holds: readonly FileHold[], { roots }: HoldRequest): Promise<readonly ResolvedFile[]> =>
  inTurn(
    holds.map((hold) => ({ hold })),
    async ({ hold }) => ({ hold, path: await resolveLivePath(hold.request.named, roots) }),
  )

/**
 * A tenant that another holder keeps still is busy; one that is unwell may be checked all the same, and is remembered
 * as such.
 */
async function lookBefore(keeper: TenantKeeper, signal: AbortSignal): Promise<boolean> {
  if (keeper.kind === 'nobody') return true
  const { state, healthy } = await keeper.service.tenant(keeper.tenant, signal)
  if (state !== 'active') throw new Failure('SERVICE_BUSY', `${keeper.tenant} is ${state} already, for another holder`)
  return healthy
}

async function inspect(
  { hold, path }: ResolvedFile,
  opened: AsyncDisposables,
  { keeper, folder, roots, settings }: HoldRequest,
  { guardian }: HoldProcesses,
  signal: AbortSignal,
): Promise<Judged> {
  const files = opened.add(new LiveFiles(path, roots))
  hold.keep(files)
  if (keeper.kind === 'nobody') await requireNoLease(path)
  await files.follow()
  const asking = { settings, record: hold.record, accuse: conflictNamer(files, null, hold.record), guardian }
  const unused = keeper.kind === 'nobody' ? opened.add(await requireUnused(files, asking, signal)) : null
  const outlook = await preflight(files, folder, settings.trustMounts)
  hold.record.step('preflight', { fileSystem: outlook.fileSystem.type })
  if (keeper.kind === 'service' && outlook.contents !== 'sqlite') requireNoCompanion(path)
  requireDatabase(hold, outlook)
  return { hold, files, outlook, unused }
}

/**
 * The last before a bare file is locked: what can be made ready is ready, so that the lock stands for as long as the
 * copy needs it.
 * @throws {Failure} IN_USE
 */
async function confirmUnused(file: PreparedFile, { probe }: HoldProcesses, signal: AbortSignal): Promise<PreparedFile> {
  const { unused, files } = file
  if (!unused) return file
  if (!unused.leased) await readIntoCache(files, signal)
  await probe.ready()
  await unused.watched(signal)
  unused[Symbol.dispose]()
  return file
}

/**
 * A second name of a file of the tenant would meet our own seal: it is refused, and the file has its result under the
 * first name.
 * @param seen names by the file that they lead to @throws {Failure} MANY_NAMES
 */
async function requireOwnName(file: Judged, seen: Map<string, string>): Promise<Judged> {
  const { named } = file.hold.request
  const { dev, ino } = await file.files.stat('')
  const first = seen.get(`${dev} ${ino}`)
  if (first !== undefined)
    throw new Failure(
      'MANY_NAMES',
      `${named} is the same file as ${first}, which the service lists for this tenant too`,
    )
  seen.set(`${dev} ${ino}`, named)
  return file
}

/** A file that nobody knows needs no hold to be called no database. */
function requireDatabase({ request: { expected, named } }: FileHold, { contents, recoverable }: PreflightResult): void {
  if (expected || recoverable) return
  if (contents === 'empty') throw new Failure('EMPTY_FILE', `${named} is empty`)
  if (contents === 'foreign') throw new Failure('NOT_SQLITE', `${named} does not begin as a SQLite database does`)
}

/** What can never fit is refused first: nobody waits behind it. @throws {Failure} NO_SPACE */
function askForRoom(copyBytes: number, { folder, bounds }: HoldRequest): Promise<void> | null {
  requireSpace(folder, copyBytes - bounds.othersBytes())
  return bounds.reserve(copyBytes)
}

async function openDraft({ request }: FileHold, opened: AsyncDisposables, folder: string): Promise<Draft> {
  const draft = opened.add(await Draft.open(folder, request.name))
  await draft.descriptor('') // There is always one, and while the tenant stands still is no time to make a file.
  return draft
}

/**
 * By hooks the line is written when it is the tenant's turn: after a crash what was announced is resumed by command,
 * whether it was paused or not.
 */
async function announce(opened: AsyncDisposables, { keeper, settings }: HoldRequest): Promise<PauseIntent | null> {
  if (keeper.kind === 'nobody') return null
  const announced = opened.add(new PauseIntent({ ...keeper, longestMs: longestPauseMs(keeper.service, settings) }))
  if (keeper.service.via === 'admin-api') await announced.write()
  return announced
}
