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
import { backupOf, readEntries, type Entry } from './entries.ts'
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

/** A backup that is due, without its manifest: there may be a hundred thousand. */
interface DueBackup {
  readonly folder: string
  readonly id: string
  readonly verifiedAt: string
  readonly bytes: number
}

/**
 * @param entries chosen by the caller, broken ones among them: these are reported and not restored
 * @throws {Failure} NO_SPACE, CANNOT_CONFINE, INTERRUPTED: what the next backup would meet too
 */
export async function verifyBackups(
  entries: AsyncIterable<Entry>,
  terms: VerifyTerms,
  observer: VerifyObserver,
  signal: AbortSignal,
): Promise<VerifyTotals> {
  const startedAt = monotonicMs()
  const due: DueBackup[] = []
  for await (const { backup, folder } of entries) {
    if (backup.state === 'broken') observer.onVerified({ kind: 'broken', backup })
    else if (isDue(backup, terms.maxAgeMs))
      due.push({ folder, id: backup.id, verifiedAt: backup.verifiedAt ?? '', bytes: backup.bytes ?? 0 })
  }
  due.sort((a, b) => (a.verifiedAt < b.verifiedAt ? -1 : a.verifiedAt > b.verifiedAt ? 1 : 0))
  let bytesDone = 0
  for (const [at, { folder, id, bytes }] of due.entries()) {
    signal.throwIfAborted()
    const elapsedMs = monotonicMs() - startedAt
    const predictedMs = bytesDone === 0 ? 0 : (elapsedMs * bytes) / bytesDone
    if (terms.budgetMs !== null && elapsedMs + predictedMs > terms.budgetMs)
      return { verified: at, notReached: due.length - at }
    bytesDone += bytes
    const entry = (await readEntries(folder)).find(({ backup }) => backup.id === id)
    if (entry === undefined) continue // Another run has pruned it meanwhile.
    observer.onBegin(entry.backup, at, due.length)
    observer.onVerified(await verifyEntry(entry, terms, signal))
  }
  return { verified: due.length, notReached: 0 }
}

function isDue({ verifiedAt }: Backup, maxAgeMs: number | null): boolean {
  return maxAgeMs === null || verifiedAt === null || Date.now() - Date.parse(verifiedAt) > maxAgeMs
}

async function verifyEntry(entry: Entry, terms: VerifyTerms, signal: AbortSignal): Promise<VerifiedEntry> {
  const { manifest, folder, backup } = entry
  if (backup.state === 'broken') return { kind: 'broken', backup }
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
