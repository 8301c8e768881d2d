/**
 * Verifies backups: each is restored to a scratch folder and checked wholly. The one whose last verification is oldest
 * comes first.
 */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { monotonicMs } from '../host/clock.ts'
import { syncFolder } from '../host/files/durable.ts'
import { onDisk } from '../host/files/file-name.ts'
import { invariant } from '../model/bug.ts'
import { Failure } from '../model/failure.ts'
import type { Backup } from '../model/result/backup.ts'
import { checkCopy, type CopyCheck } from './check-copy.ts'
import { backupOf, type Entry } from './entries.ts'
import { readManifest, writeManifest } from './manifest.ts'
import { markBroken, restoreEntry } from './restore.ts'

export interface VerifyTerms extends CopyCheck {
  /** A private folder on a disk with room for one database. */
  readonly scratch: string
  /** Verifications younger than this are not repeated; null: all are. */
  readonly maxAgeMs: number | null
  /** No verification begins that would probably end later than this; null: no limit. */
  readonly budgetMs: number | null
}

/** `unclear`: its check was not conclusive, and its state is what it was. */
export interface VerifiedEntry {
  readonly kind: 'sound' | 'broken' | 'unclear'
  readonly backup: Backup
}

export interface VerifyObserver {
  /** Called before a backup is restored: `done` of `total` were. */
  readonly onBegin: (backup: Backup, done: number, total: number) => void
  readonly onVerified: (verified: VerifiedEntry) => void
}

export interface VerifyTotals {
  readonly verified: number
  /** Left for a later run, because the time was over. */
  readonly notReached: number
}

/**
 * @param entries chosen by the caller, broken ones among them: these are reported and not restored
 * @throws {Failure} NO_SPACE, CANNOT_CONFINE, INTERRUPTED: what the next backup would meet too
 */
export async function verifyBackups(
  entries: readonly Entry[],
  terms: VerifyTerms,
  observer: VerifyObserver,
  signal: AbortSignal,
): Promise<VerifyTotals> {
  const startedAt = monotonicMs()
  for (const { backup } of entries) if (backup.state === 'broken') observer.onVerified({ kind: 'broken', backup })
  const due = entries.filter((entry) => isDue(entry, terms.maxAgeMs)).toSorted(byVerification)
  let bytesDone = 0
  for (const [at, entry] of due.entries()) {
    signal.throwIfAborted()
    const elapsedMs = monotonicMs() - startedAt
    const predictedMs = bytesDone === 0 ? 0 : (elapsedMs * (entry.backup.bytes ?? 0)) / bytesDone
    if (terms.budgetMs !== null && elapsedMs + predictedMs > terms.budgetMs)
      return { verified: at, notReached: due.length - at }
    observer.onBegin(entry.backup, at, due.length)
    observer.onVerified(await verifyEntry(entry, terms, signal))
    bytesDone += entry.backup.bytes ?? 0
  }
  return { verified: due.length, notReached: 0 }
}

function isDue({ backup }: Entry, maxAgeMs: number | null): boolean {
  if (backup.state === 'broken') return false
  return maxAgeMs === null || backup.verifiedAt === null || Date.now() - Date.parse(backup.verifiedAt) > maxAgeMs
}

const byVerification = ({ backup: a }: Entry, { backup: b }: Entry): number => {
  const [first, second] = [a.verifiedAt ?? '', b.verifiedAt ?? '']
  return first < second ? -1 : first > second ? 1 : 0
}

async function verifyEntry(entry: Entry, terms: VerifyTerms, signal: AbortSignal): Promise<VerifiedEntry> {
  const { manifest, folder, backup } = entry
  invariant(manifest, 'a backup that is restored has a manifest')
  const scratch = join(terms.scratch, `verify-${backup.id}.db`)
  try {
    const copy = await restoreEntry(entry, scratch, signal)
    const checked = await checkCopy(copy, manifest, terms, signal)
    if (checked.kind === 'inconclusive')
      return { kind: 'unclear', backup: { ...backup, failure: { code: 'READ_FAILED', message: checked.why } } }
    if (checked.kind === 'damaged') {
      await markBroken(entry, checked.why)
      return { kind: 'broken', backup: brokenNow(backup, checked.why) }
    }
    // Read again: another run may have confirmed it meanwhile.
    const read = await readManifest(folder, backup.id)
    const now = { ...(read.kind === 'read' ? read.manifest : manifest), verifiedAt: new Date().toISOString() }
    await writeManifest(folder, now)
    await syncFolder(folder)
    return { kind: 'sound', backup: backupOf(now) }
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'BACKUP_BROKEN') throw error
    return { kind: 'broken', backup: brokenNow(backup, error.message) }
  } finally {
    for (const part of ['', '-wal', '-journal', '-shm']) await rm(onDisk(scratch + part), { force: true })
  }
}

const brokenNow = (backup: Backup, message: string): Backup => ({
  ...backup,
  state: 'broken',
  failure: { code: 'BACKUP_BROKEN', message },
})
