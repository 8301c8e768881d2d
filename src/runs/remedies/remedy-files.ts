/** Remedies for bare files, which no program may have open: no service is asked, and the seal alone decides. */

import { openBackups } from '../../backup/store.ts'
import type { RecoveredChange } from '../../hold/change/change-types.ts'
import { recoverChanges } from '../../hold/change/recovery/recover-changes.ts'
import { realPathOf } from '../../host/files/path-kind.ts'
import { withFileRun, type FileRunOptions } from '../begin/file-run.ts'
import type { Target } from '../begin/target.ts'
import { workOnRemedies, type RemedyLocations, type RemedyRequest } from './remedy-request.ts'
import type { RemedyObserver } from './remedy-run.ts'
import type { RemedyTotals } from './remedy-targets.ts'

export interface RemedyFileOptions {
  readonly request: RemedyRequest
  /** As the configuration gives them that the command line names; null without one. */
  readonly configured: {
    readonly quarantine: string
    readonly accounts: string
    readonly backups: string | null
  } | null
  /** Called with what a dead run had left half done. */
  readonly onRecovered: (recovered: readonly RecoveredChange[]) => void
}

/** @throws {Failure} as `withFileRun`; USAGE */
export async function remedyFiles(
  options: FileRunOptions,
  targets: readonly Target[],
  { request, configured, onRecovered }: RemedyFileOptions,
  observer: RemedyObserver,
  interrupt: AbortSignal,
): Promise<RemedyTotals> {
  const backups = request.backups ?? configured?.backups ?? null
  const quarantine = request.quarantine ?? configured?.quarantine ?? null
  const places: RemedyLocations = {
    quarantine,
    accounts: request.quarantine === null ? (configured?.accounts ?? null) : null,
    backups: backups === null ? null : openBackups(backups),
    fetch: null, // The command takes the id of a tenant.
  }
  return withFileRun(options, targets, interrupt, async (context, signal) => {
    await recoverLeft(targets, quarantine, onRecovered)
    return workOnRemedies(targets, new Map(), request, { places, limits: options.check, context }, observer, signal)
  })
}

/** What a dead run left half done is finished or rolled back first. */
async function recoverLeft(
  targets: readonly Target[],
  quarantine: string | null,
  onRecovered: RemedyFileOptions['onRecovered'],
): Promise<void> {
  if (quarantine !== null) onRecovered(await recoverChanges({ kind: 'quarantine', folder: quarantine }, null))
  for (const { named } of targets) {
    const file = await realPathOf(named)
    if (file !== null) onRecovered(await recoverChanges({ kind: 'beside', file }, null))
  }
}
