/** Opens the live files of a tenant and judges them, while the tenant serves (hold.ts, steps 1 and 2). */
import type { AsyncDisposables } from '../host/disposal.ts'
import type { LivePath } from '../model/brand.ts'
import { Failure } from '../model/failure.ts'
import { inTurn, type FileHold } from './file-hold.ts'
import type { HoldProcesses } from './hold-processes.ts'
import type { HoldRequest } from './hold-request.ts'
import { requireListedOnce } from './live/listed-once.ts'
import { LiveFiles } from './live/live-files.ts'
import { requireNoCompanion, resolveLivePath } from './live/live-path.ts'
import { preflight, type PreflightResult } from './preflight.ts'
import { conflictNamer } from './seal/conflict.ts'
import { requireNoLease, requireUnused, type UnusedFile } from './seal/require-unused.ts'

export interface ResolvedFile {
  readonly hold: FileHold
  readonly path: LivePath
}

export interface InspectedFile {
  readonly hold: FileHold
  readonly files: LiveFiles
  readonly preflight: PreflightResult
  /** Of a bare file, until it is locked; null for a tenant's file. */
  readonly unused: UnusedFile | null
}

export function resolveNames(
  holds: readonly FileHold[],
  { roots, acceptMounted = false }: Omit<HoldRequest, 'files'>,
): Promise<readonly ResolvedFile[]> {
  return inTurn(
    holds.map((hold) => ({ hold })),
    async ({ hold }) => ({ hold, path: await resolveLivePath(hold.request.named, roots, acceptMounted) }),
  )
}

/** @param opened receives what is to be released when the hold ends */
export function inspectFiles(
  resolved: readonly ResolvedFile[],
  opened: AsyncDisposables,
  request: Omit<HoldRequest, 'files'>,
  processes: HoldProcesses,
  signal: AbortSignal,
): Promise<readonly InspectedFile[]> {
  const seen = new Map<string, string>()
  return inTurn(resolved, async (file) => {
    requireListedOnce(file.hold.request.named, file.path, seen)
    return inspectFile(file, opened, request, processes, signal)
  })
}

async function inspectFile(
  { hold, path }: ResolvedFile,
  opened: AsyncDisposables,
  { connection, folder, roots, settings }: Omit<HoldRequest, 'files'>,
  { guardian }: HoldProcesses,
  signal: AbortSignal,
): Promise<InspectedFile> {
  const files = opened.add(new LiveFiles(path, roots))
  hold.add(files)
  const { record } = hold
  if (connection === null) await requireNoLease(path)
  await files.openNamed()
  const terms = { settings, record, nameConflict: conflictNamer(files, null, record, signal), guardian }
  const unused = connection === null ? opened.add(await requireUnused(files, terms, signal)) : null
  const judged = await preflight(files, folder, settings.trustMounts)
  record.step('preflight', { fileSystem: judged.fileSystem.type })
  if (connection !== null && judged.contents !== 'sqlite') requireNoCompanion(path)
  requireDatabase(hold, judged)
  return { hold, files, preflight: judged, unused }
}

/** A file that was never known as a database needs no hold to be reported as none. */
export function requireDatabase(
  { request: { expected, named } }: FileHold,
  { contents, recoverable }: PreflightResult,
): void {
  if (expected || recoverable) return
  if (contents === 'empty') throw new Failure('EMPTY_FILE', `${named} is empty`)
  if (contents === 'foreign') throw new Failure('NOT_SQLITE', `${named} does not begin as a SQLite database does`)
}
