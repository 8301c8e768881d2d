/**
 * Warm copies of all files of a tenant, and the length of the pause that remains. A bare file is not prepared: no
 * service waits for the end of its hold.
 */
import type { AsyncDisposables } from '../../host/disposal.ts'
import { inTurn } from '../file-hold.ts'
import type { HoldSettings, TenantConnection } from '../hold-request.ts'
import { predictPauseMs, requireNoAbandonedPause, requireShortPause } from '../preflight.ts'
import type { Guardian } from '../seal/guardian.ts'
import type { PreparedFile } from './prepared-file.ts'
import { copyWarm, readIntoCache, measureCopyRate } from './warm-copy.ts'

export interface WarmUpRequest {
  /** Receives what is to be released when the hold ends. */
  readonly opened: AsyncDisposables
  readonly connection: TenantConnection | null
  readonly settings: HoldSettings
  readonly guardian: Guardian
  readonly signal: AbortSignal
}

type DraftedFile = Omit<PreparedFile, 'warm'>

/** Whether the files are worth preparing for. They are added up, because all are copied in one pause. */
export function isLarge(files: readonly Pick<PreparedFile, 'preflight'>[], { warmAboveBytes }: HoldSettings): boolean {
  return files.reduce((sum, { preflight }) => sum + preflight.mainBytes + preflight.tailBytes, 0) > warmAboveBytes
}

/** @throws {Failure} TOO_LARGE_FOR_PAUSE, NO_SPACE; the signal's reason */
export async function warmUp(
  drafted: readonly DraftedFile[],
  request: WarmUpRequest,
): Promise<readonly PreparedFile[]> {
  const cold = drafted.map((file): PreparedFile => ({ ...file, warm: null }))
  if (request.connection === null || cold.length === 0) return cold
  const large = isLarge(cold, request.settings)
  const files = large ? await inTurn(cold, (file) => pinAndCopy(file, request)) : cold
  await requirePauseWithin(files, large, request)
  closeCold(files)
  return files
}

/** For a hold that copies nothing before the pause. */
export function stayCold(
  drafted: readonly DraftedFile[],
  connection: TenantConnection | null,
): readonly PreparedFile[] {
  const cold = drafted.map((file): PreparedFile => ({ ...file, warm: null }))
  if (connection !== null) closeCold(cold)
  return cold
}

/** Without a warm copy no file of ours may be open while the service closes: we open them anew in the pause. */
function closeCold(files: readonly PreparedFile[]): void {
  for (const file of files) if (!file.warm) file.files[Symbol.dispose]()
}

async function pinAndCopy(file: PreparedFile, { opened, guardian, signal }: WarmUpRequest): Promise<PreparedFile> {
  const { hold, files, draft, preflight } = file
  const warm = preflight.walMode && !preflight.reflink ? await copyWarm(files, draft, guardian, signal) : null
  if (!warm) return file
  opened.add(warm)
  hold.record.time({ warmMs: warm.ms })
  return { ...file, warm }
}

/** Predicts the one pause of all files. @throws {Failure} TOO_LARGE_FOR_PAUSE */
async function requirePauseWithin(
  files: readonly PreparedFile[],
  large: boolean,
  { settings: { maxPauseMs }, signal }: WarmUpRequest,
): Promise<void> {
  const what = namesOf(files)
  const record = (predictedPauseMs: number | null): void => {
    for (const { hold } of files) hold.record.time({ predictedPauseMs })
  }
  // A copy of all bytes that took too long once says nothing about another kind of copy.
  const whole = files.filter(({ warm, preflight }) => !warm && !preflight.reflink)
  const abandoned = whole.flatMap(({ hold: { request } }) => request.abandonedPauseMs ?? [])
  const abandonedPauseMs = abandoned.length === 0 ? null : Math.max(...abandoned)
  record(abandonedPauseMs)
  requireNoAbandonedPause(what, abandonedPauseMs, maxPauseMs)
  const rate = large ? await readAndMeasure(whole, signal) : null
  const copyBytes = files.reduce((sum, { warm, preflight }) => sum + (warm ? 0 : preflight.copyBytes), 0)
  const predictedMs = Math.max(abandonedPauseMs ?? 0, predictPauseMs(files.length, copyBytes, rate))
  record(predictedMs)
  requireShortPause(what, predictedMs, maxPauseMs)
}

/** @returns bytes a second of a copy of the largest file; null if no file is copied as a whole */
async function readAndMeasure(whole: readonly PreparedFile[], signal: AbortSignal): Promise<number | null> {
  for (const { files } of whole) await readIntoCache(files, signal)
  const largest = whole.toSorted((a, b) => b.preflight.mainBytes - a.preflight.mainBytes)[0]
  return largest === undefined ? null : measureCopyRate(largest.files, largest.draft, signal)
}

function namesOf(files: readonly PreparedFile[]): string {
  const [first, ...others] = files.map((file) => file.files.path)
  return others.length === 0
    ? String(first)
    : `${first} and ${others.length} more ${others.length === 1 ? 'file' : 'files'} of the tenant`
}
