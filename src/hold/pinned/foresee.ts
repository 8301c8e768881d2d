/** What a pinned snapshot of a file would cost the programs that use it. Locks nothing, and asks no program. */
import type { HoldSettings } from '../hold-request.ts'
import { LiveFiles } from '../live/live-files.ts'
import { resolveLivePath } from '../live/live-path.ts'
import { predictPauseMs, preflight } from '../preflight.ts'
import { allHoldersOf } from '../seal/holders.ts'
import { requireNoLease } from '../seal/require-unused.ts'
import { requireUsualLocks } from './refusals.ts'
import { napMs } from './writer-wait.ts'

export type ForeseenPin =
  /** Programs go on, and no commit waits. */
  | { readonly journal: 'wal' }
  /** A commit waits for the copy: for so long at most, in ms. */
  | { readonly journal: 'rollback'; readonly waitMs: number }
  | { readonly journal: 'no-database' }

/**
 * @param folder where the snapshot would be made
 * @throws {Failure} LOCKS_UNTRUSTED, NOT_FOUND, NO_PERMISSION and others that keep a file from being pinned; IN_USE
 * while a hold of another run seals it
 */
export async function foreseePin(
  named: string,
  roots: readonly string[] | null,
  folder: string,
  { trustMounts }: Pick<HoldSettings, 'trustMounts'>,
): Promise<ForeseenPin> {
  const path = await resolveLivePath(named, roots)
  await requireNoLease(path)
  using files = new LiveFiles(path, roots)
  await files.openNamed()
  await requireUsualLocks(files, (await allHoldersOf(files)).holders)
  const { contents, walMode, reflink, mainBytes, tailBytes } = await preflight(files, folder, trustMounts)
  if (contents !== 'sqlite') return { journal: 'no-database' }
  if (walMode) return { journal: 'wal' }
  return { journal: 'rollback', waitMs: napMs + predictPauseMs(1, reflink ? 0 : mainBytes + tailBytes, null) }
}
