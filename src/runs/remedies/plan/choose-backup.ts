/**
 * Which backup a restore takes: the one that a person names, or the newest verified one from before the damage. It is
 * brought to a scratch folder, where it is a private copy of ours.
 */

import { mkdirSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { WantedBackup } from '../../../backup/fetch.ts'
import { isBackupId } from '../../../backup/layout.ts'
import type { Backups } from '../../../backup/store.ts'
import { recognise } from '../../../hold/copies/manifest.ts'
import { copyPrivately } from '../../../hold/copies/private-copy.ts'
import { draftName, removeFolder, snapshotName } from '../../../hold/snapshot/draft.ts'
import { openDescriptor } from '../../../host/files/descriptor.ts'
import { digestOf } from '../../../host/files/digest.ts'
import { onDisk } from '../../../host/files/file-name.ts'
import { realPathOf } from '../../../host/files/path-kind.ts'
import type { Ledger } from '../../../ledger/ledger.ts'
import type { SnapshotPath } from '../../../model/brand.ts'
import { Failure } from '../../../model/failure.ts'
import type { Backup, VerifiedBackup } from '../../../model/result/backup.ts'
import type { ChosenBackup } from '../../../model/result/remedy.ts'
import type { Target } from '../../begin/target.ts'
import type { RestoreOptions } from './commands.ts'

/** A backup as a private copy in a scratch folder. Disposing of it deletes the copy. */
export interface BroughtBackup extends AsyncDisposable {
  readonly chosen: ChosenBackup
  readonly path: SnapshotPath
  /** Why this one: part of a sentence. */
  readonly why: string
}

export interface BackupSource {
  /** Null if no store is configured. */
  readonly backups: Backups | null
  /** Brings a backup that another program made into the store; null if no command is configured for it. */
  readonly fetch: ((wanted: WantedBackup, signal: AbortSignal) => Promise<unknown>) | null
  readonly ledger: Ledger | null
  /** Private folder of this run. */
  readonly folder: string
}

let brought = 0

/** @throws {Failure} BACKUP_UNKNOWN, BACKUP_BROKEN, NOT_FOUND, NO_SPACE; the reason of the signal */
export async function bringBackup(
  target: Target,
  options: Pick<RestoreOptions, 'from' | 'before'>,
  source: BackupSource,
  signal: AbortSignal,
): Promise<BroughtBackup> {
  if (options.from !== null && (await namesFile(options.from))) return bringFile(options.from, source.folder, signal)
  const backups = requireStore(source.backups, options.from)
  const { backup, why } =
    options.from === null
      ? await newestBefore(target, options.before, backups, source, signal)
      : { backup: await requireVerified(options.from, target, backups), why: 'the one that you named' }
  const folder = join(source.folder, draftName(`restored-${++brought}`))
  mkdirSync(folder, { mode: 0o700 })
  const remove = (): Promise<void> => removeFolder(folder)
  try {
    const path = await backups.restore(backup.id, join(folder, snapshotName), signal)
    const { id, takenAt, takenAtLatest, sha256, verifiedAt } = backup
    const latest = takenAtLatest === true ? { takenAtLatest } : {}
    const beside = backup.level === 'pinned' ? ', copied beside its program (level pinned)' : ''
    const chosen = { id, takenAt, ...latest, sha256, verifiedAt }
    return { chosen, path, why: `${why}${beside}`, [Symbol.asyncDispose]: remove }
  } catch (error) {
    await remove()
    throw error
  }
}

/** Whether a restore without options would find a backup. @throws {Failure} SNAPSHOT_UNSAFE and others of the store */
export async function hasVerifiedBackup(target: Target, { backups, ledger }: Pick<BackupSource, 'backups' | 'ledger'>) {
  if (backups === null) return false
  const before = await damagedSince(target, ledger)
  return (await backups.newestVerified({ ...(await backedUpFileOf(target)), before })) !== null
}

/** An argument with a slash, or the name of an existing file, is a file. Every other argument is the id of a backup. */
export async function namesFile(from: string): Promise<boolean> {
  if (from.includes('/')) return true
  return stat(onDisk(from)).then(
    (found) => found.isFile(),
    () => false,
  )
}

/** @throws {Failure} BACKUP_UNKNOWN */
export function requireStore(backups: Backups | null, from: string | null): Backups {
  if (backups !== null) return backups
  const noFile = from === null || isBackupId(from) ? '' : `there is no file ${from}, and `
  throw new Failure('BACKUP_UNKNOWN', `${noFile}no folder of backups is known`, {
    hint:
      'name a backup file with --from FILE, or the folder of backups: ' +
      '--backups DIR for a file, backups.dir for tenants',
  })
}

async function requireVerified(id: string, target: Target, backups: Backups): Promise<VerifiedBackup> {
  const { backup } = await backups.find(id)
  if (!isVerified(backup)) {
    const why = backup.state === 'broken' ? (backup.failure?.message ?? 'it is broken') : 'it was never verified'
    throw new Failure('BACKUP_BROKEN', `the backup ${id} is not restored: ${why}`, {
      hint: '`holdfast backups list` shows the verified ones; `holdfast backups verify` verifies the others',
    })
  }
  const { tenant, path } = await backedUpFileOf(target)
  if (backup.tenant !== tenant || backup.path !== path) throw whyOtherFile(backup)
  return backup
}

export const whyOtherFile = ({ id, tenant, path }: Backup): Failure =>
  new Failure('BACKUP_UNKNOWN', `the backup ${id} is of ${tenant ?? 'the file'} ${path}, not of this file`, {
    hint: '`holdfast backups list` shows the backups of each file',
  })

const isVerified = (backup: Backup): backup is VerifiedBackup => backup.state === 'verified'

/** The store knows a tenant's file by the name that the service gives it, and a bare file by its real path. */
export async function backedUpFileOf({ tenant, named }: Target): Promise<Pick<Backup, 'tenant' | 'path'>> {
  return { tenant, path: tenant === null ? ((await realPathOf(named)) ?? named) : named }
}

async function newestBefore(
  target: Target,
  given: string | null,
  backups: Backups,
  { fetch, ledger }: BackupSource,
  signal: AbortSignal,
): Promise<{ readonly backup: VerifiedBackup; readonly why: string }> {
  const before = given ?? (await damagedSince(target, ledger))
  const of = { ...(await backedUpFileOf(target)), before }
  let backup = await backups.newestVerified(of)
  const others = fetch === null || target.tenant === null || backup === null ? '' : notAsked
  if (backup === null && fetch !== null && target.tenant !== null) {
    await fetch({ tenant: target.tenant, path: of.path, before }, signal)
    backup = await backups.newestVerified(of)
  }
  const limit =
    before === null ? '' : given === null ? ' from before the damage was seen' : ' from before the given time'
  if (backup !== null) return { backup, why: `the newest verified one${limit}${others}` }
  const when = before === null ? '' : ` from before ${before}`
  throw new Failure('BACKUP_UNKNOWN', `there is no verified backup of ${target.tenant ?? target.named}${when}`, {
    hint:
      '`holdfast backups list` shows all backups (for a file: with --backups DIR); ' +
      '--from FILE takes any sound database file',
  })
}

const notAsked =
  ' in our own store; backups.fetch was not asked, so another program may have a newer one, which --from FILE takes'

/** Lines of the ledger that are read to find when the damage was first seen. */
const linesMax = 1_000

/**
 * When a full check first found the damage that is there now, as in ISO 8601. A backup that was taken later may have
 * been taken of a file that was wrongly mended. Null if no earlier check saw it.
 */
async function damagedSince({ tenant, named }: Target, ledger: Ledger | null): Promise<string | null> {
  if (ledger === null || tenant === null) return null
  let since: number | null = null
  for (const { at, event } of (await ledger.checks(tenant, linesMax)).lines) {
    if (event.kind !== 'checked' || event.result.path !== named) continue
    const { verdict, damage, depth } = event.result
    if (verdict === 'sound' && depth === 'full') break
    if (verdict === 'damaged' && damage !== 'none') since = at
  }
  return since === null ? null : new Date(since).toISOString()
}

/** A database file that a person names. Its manifest, if it was pulled, says when it was taken. */
async function bringFile(from: string, parent: string, signal: AbortSignal): Promise<BroughtBackup> {
  const pulled = await recognise(from)
  const copy = await copyPrivately(from, parent, draftName(`restored-${++brought}`))
  try {
    using file = openDescriptor(copy.path, 'read-only')
    const { sha256 } = await digestOf(file.number, signal)
    const modifiedMs = copy.modifiedMs.get('') ?? Date.now()
    const proofAt = pulled?.evidence.proofs[0]?.at
    return {
      chosen: {
        id: from,
        takenAt: proofAt ?? new Date(modifiedMs).toISOString(),
        ...(proofAt === undefined ? { takenAtLatest: true as const } : {}),
        sha256,
        verifiedAt: null,
      },
      path: copy.path,
      why: 'the one that you named',
      [Symbol.asyncDispose]: () => copy[Symbol.asyncDispose](),
    }
  } catch (error) {
    await copy[Symbol.asyncDispose]()
    throw error
  }
}
