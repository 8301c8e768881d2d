/**
 * Step 1 for all files of a tenant: warm copies, and what the pause will cost then. A bare file is not prepared: nobody
 * waits for the end of its hold.
 */
import type { AsyncDisposables } from '../../host/disposal.ts'
import { inTurn } from '../file-hold.ts'
import type { HoldSettings, TenantKeeper } from '../hold-request.ts'
import { predictPauseMs, requireNoLostPause, requireShortPause } from '../preflight.ts'
import type { PreparedFile } from '../prepare.ts'
import type { Guardian } from '../seal/guardian.ts'
import { copyWarm, readIntoCache, rehearseCopy } from './warm-copy.ts'

export interface WarmingUp {
  readonly opened: AsyncDisposables
  readonly keeper: TenantKeeper
  readonly settings: HoldSettings
  readonly guardian: Guardian
  readonly signal: AbortSignal
}

type Drafted = Omit<PreparedFile, 'warm'>

/** Worth preparing for: all files of the tenant are copied in one pause. */
export function isLarge(files: readonly Pick<PreparedFile, 'outlook'>[], { warmAboveBytes }: HoldSettings): boolean {
  return files.reduce((sum, { outlook }) => sum + outlook.mainBytes + outlook.tailBytes, 0) > warmAboveBytes
}

/** @throws {Failure} TOO_LARGE_FOR_PAUSE, NO_SPACE; the signal's reason */
export async function warmUp(drafted: readonly Drafted[], warming: WarmingUp): Promise<readonly PreparedFile[]> {
  const cold = drafted.map((file): PreparedFile => ({ ...file, warm: null }))
  const [first] = cold
  if (warming.keeper.kind === 'nobody' || first === undefined) return cold
  const large = isLarge(cold, warming.settings)
  const files = large ? await inTurn(cold, (file) => pinAndCopy(file, warming)) : cold
  await requirePauseWithin(files, large, warming)
  // Without a warm copy nothing of ours may be open while the service closes and we open anew.
  for (const file of files) if (!file.warm) file.files[Symbol.dispose]()
  return files
}

async function pinAndCopy(file: PreparedFile, { opened, guardian, signal }: WarmingUp): Promise<PreparedFile> {
  const { hold, files, draft, outlook } = file
  const warm = outlook.walMode && !outlook.reflink ? await copyWarm(files, draft, guardian, signal) : null
  if (!warm) return file
  opened.add(warm)
  hold.record.time({ warmMs: warm.ms })
  return { ...file, warm }
}

/** The pause is as long for each of the files as for all of them. @throws {Failure} TOO_LARGE_FOR_PAUSE */
async function requirePauseWithin(
  files: readonly PreparedFile[],
  large: boolean,
  { settings: { maxPauseMs }, signal }: WarmingUp,
): Promise<void> {
  const what = namesOf(files)
  const predicted = (predictedPauseMs: number | null): void => {
    for (const { hold } of files) hold.record.time({ predictedPauseMs })
  }
  // What took too long once was a copy of all bytes: of another kind of copy it says nothing.
  const whole = files.filter(({ warm, outlook }) => !warm && !outlook.reflink)
  const lost = whole.flatMap(({ hold: { request } }) => request.lostPauseMs ?? [])
  const leastMs = lost.length === 0 ? null : Math.max(...lost)
  predicted(leastMs)
  requireNoLostPause(what, leastMs, maxPauseMs)
  const rate = large ? await readAndRehearse(whole, signal) : null
  const copyBytes = files.reduce((sum, { warm, outlook }) => sum + (warm ? 0 : outlook.copyBytes), 0)
  const predictedMs = Math.max(leastMs ?? 0, predictPauseMs(files.length, copyBytes, rate))
  predicted(predictedMs)
  requireShortPause(what, predictedMs, maxPauseMs)
}

/** @returns bytes a second of a copy of the largest file; null where nothing is copied as a whole */
async function readAndRehearse(whole: readonly PreparedFile[], signal: AbortSignal): Promise<number | null> {
  for (const { files } of whole) await readIntoCache(files, signal)
  const largest = whole.toSorted((a, b) => b.outlook.mainBytes - a.outlook.mainBytes)[0]
  return largest === undefined ? null : rehearseCopy(largest.files, largest.draft, signal)
}

function namesOf(files: readonly PreparedFile[]): string {
  const [first, ...others] = files.map((file) => file.files.path)
  return others.length === 0
    ? String(first)
    : `${first} and ${others.length} more ${others.length === 1 ? 'file' : 'files'} of the tenant`
}
