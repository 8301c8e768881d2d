/** `backups verify`: what it restores to, what it checks with, and what a person sees meanwhile. */
import { verifyBackups } from '../../backup/verify.ts'
import { openChecker } from '../../check/check.ts'
import { defaultCheckSettings } from '../../config/defaults.ts'
import { openSnapshotFolder } from '../../hold/snapshot/temporary-folder.ts'
import { checkLimits } from '../../runs/begin/run-limits.ts'
import type { CommonOptions } from '../options.ts'
import { showProgress } from '../progress/progress.ts'
import type { BackupsDocument, BackupsEnd } from '../report-run/backups-document.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { chosenEntries, type OpenedStore } from './open-store.ts'

type VerifyOptions = CommonOptions & { readonly maxAge?: number; readonly budget?: number; readonly snapshots?: string }

/** @param words ids of backups or tenants; none: all backups */
export async function verifyChosen(
  words: readonly string[],
  { backups, settings }: OpenedStore,
  options: VerifyOptions,
  terminal: Terminal,
  document: BackupsDocument,
): Promise<BackupsEnd> {
  const check = settings?.check ?? defaultCheckSettings
  const { signal } = terminal.interrupt
  await using scratch = await openSnapshotFolder(options.snapshots ?? settings?.snapshots.dir ?? null, null)
  await using checker = await openChecker({
    ...checkLimits({ check }),
    engine: 'census',
    folder: scratch.path,
    parallel: 1,
  })
  using line = await showProgress(terminal, options.quiet ?? false)
  const { notReached } = await verifyBackups(
    chosenEntries(backups, words),
    {
      checker,
      accept: check.accept,
      scratch: scratch.path,
      maxAgeMs: options.maxAge ?? null,
      budgetMs: options.budget ?? null,
    },
    {
      onBegin: ({ id, tenant }, done, total) =>
        line.update({ done, total, holding: [], checking: [{ name: `${tenant ?? ''} ${id}`.trim(), pages: null }] }),
      onVerified: (verified) => document.addVerified(verified),
    },
    signal,
  )
  return { notReached }
}
