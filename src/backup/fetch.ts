/**
 * Brings a backup that another program made (restic, Litestream, a copy on another disk). `backups.fetch` is run, and
 * what it wrote is checked as a whole. Only a sound file is kept in the store, and only what is kept there counts.
 */
import { statfsSync } from 'node:fs'
import { chmod, lstat, mkdtemp, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Command } from '../config/settings.ts'
import { systemFailure } from '../host/failures/system-failure.ts'
import { onDisk } from '../host/files/file-name.ts'
import type { SnapshotPath, TenantId } from '../model/brand.ts'
import { Failure } from '../model/failure.ts'
import type { Backup } from '../model/result/backup.ts'
import { noEvidence } from '../model/result/evidence.ts'
import { commandFor } from '../service/hooks/argument.ts'
import { describeEnd, hasSucceeded, type EndedCommand } from '../service/hooks/command-failures.ts'
import { maskedCommand } from '../service/hooks/command-secrets.ts'
import { runCommand } from '../service/hooks/command.ts'
import { humanBytes } from '../text/units.ts'
import { checkCopy, type CopyCheck } from './check-copy.ts'
import type { Backups } from './store.ts'

/** A large backup over a slow line takes hours; a command that hangs must end. */
const fetchTimeoutMs = 6 * 3_600_000

export interface FetchTerms extends CopyCheck {
  readonly backups: Backups
  readonly command: Command
  /** Name of the service; null without one. */
  readonly service: string | null
  readonly version: string
  /** A private folder on a disk with room for the database. */
  readonly scratch: string
  /** Default: 6 hours. */
  readonly timeoutMs?: number
}

export interface WantedBackup {
  readonly tenant: TenantId
  readonly path: string
  /** ISO 8601; null: the newest backup that the other program has. */
  readonly before: string | null
}

/**
 * @returns the backup in the store: the new one, or one that has the same content
 * @throws {Failure} BACKUP_UNKNOWN if the command brings nothing that fits. BACKUP_BROKEN if what it brings is not
 * sound. NO_SPACE if it would use more than half of the free space. CONFIG_INVALID; the reason of the signal.
 */
export async function fetchBackup(wanted: WantedBackup, terms: FetchTerms, signal: AbortSignal): Promise<Backup> {
  const folder = await mkdtemp(join(terms.scratch, 'fetched-')).catch((error: unknown) => {
    throw systemFailure(error, { doing: 'make a folder in', path: terms.scratch })
  })
  try {
    const out = join(folder, 'fetched.db')
    const before = new Date(wanted.before ?? Date.now()).toISOString()
    const printed = await runFetch({ ...wanted, before }, out, terms, signal)
    const printedAt = timeOf(printed, before)
    const copy = await acceptCopy(out, terms)
    const checked = await checkCopy(copy, wanted, terms, signal)
    if (checked.kind !== 'sound')
      throw new Failure('BACKUP_BROKEN', `the backup of ${wanted.tenant} that backups.fetch brought: ${checked.why}`)
    const about = {
      tenant: wanted.tenant,
      path: wanted.path,
      service: terms.service,
      origin: 'fetched' as const,
      takenAt: printedAt ?? before,
      ...(printedAt === null ? { takenAtLatest: true as const } : {}),
      content: checked.content,
      evidence: noEvidence,
      tool: { version: terms.version, sqlite: checked.sqlite },
    }
    return (await terms.backups.keep(copy, about, signal)).backup
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** @returns what the command printed on stdout */
async function runFetch(
  { tenant, path, before }: { readonly tenant: TenantId; readonly path: string; readonly before: string },
  out: string,
  { command, timeoutMs = fetchTimeoutMs }: FetchTerms,
  signal: AbortSignal,
): Promise<string> {
  const argv = commandFor(command, tenant, { out, before }, 'backups.fetch')
  using room = watchRoom(dirname(out))
  // For a tenant of several files: the command may need to know which one is wanted.
  const env = { HOLDFAST_PATH: path }
  const either = AbortSignal.any([signal, room.signal])
  const end = await runCommand(argv, { timeoutMs, signal: either, env, readsStdout: true, onStarted: () => undefined })
  if (end.how === 'aborted') either.throwIfAborted()
  if (hasSucceeded(end)) return end.stdout
  throw failedFetch(tenant, { command: argv, template: command, end, timeoutMs })
}

/** A disk takes so few bytes in this time that half of the free space is not used up between two looks. */
const lookEveryMs = 100

/**
 * The other half is for the service, as with snapshots: nobody knows how large a backup will be.
 * @returns a signal that aborts with NO_SPACE as soon as less than half of what is free now is left
 */
function watchRoom(folder: string): Disposable & { readonly signal: AbortSignal } {
  const full = new AbortController()
  const free = (): number => {
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize
  }
  const atFirst = free()
  const timer = setInterval(() => {
    const left = free()
    if (left >= atFirst / 2) return
    const why = `${humanBytes(left)} of the ${humanBytes(atFirst)} that were free in ${folder} are left`
    full.abort(
      new Failure('NO_SPACE', `backups.fetch was ended before it filled the disk: ${why}`, {
        tenant: 'untouched',
        hint: 'a fetched backup may use half of the free space: free more, or name another disk in snapshots.dir',
      }),
    )
  }, lookEveryMs)
  return { signal: full.signal, [Symbol.dispose]: () => clearInterval(timer) }
}

function failedFetch(tenant: TenantId, ended: EndedCommand): Failure {
  const text = `backups.fetch brought no backup of ${tenant}: ${describeEnd(ended, 'the limit of backups.fetch')}`
  if (ended.end.how !== 'not-started')
    return new Failure('BACKUP_UNKNOWN', text, { hint: 'run the command by hand and see what it says' })
  const { hint, cause } = systemFailure(ended.end.error, { doing: 'start', path: ended.command[0] ?? null })
  return new Failure('BACKUP_UNKNOWN', text, { hint: `give the absolute path of the program; ${hint}`, cause })
}

/**
 * The last line that the command prints may be the time at which its backup was taken.
 * @returns null if it is none: the backup then counts as taken at the latest possible time
 */
function timeOf(printed: string, before: string): string | null {
  const line = printed.trim().split('\n').at(-1)?.trim() ?? ''
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(line) || Number.isNaN(Date.parse(line))) return null
  const takenAt = new Date(line).toISOString()
  if (takenAt <= before) return takenAt
  throw new Failure('BACKUP_UNKNOWN', `backups.fetch brought a backup of ${takenAt}; one before ${before} was wanted`)
}

/** A journal or a WAL beside it belongs to it. */
async function acceptCopy(out: string, { command }: FetchTerms): Promise<SnapshotPath> {
  const brought = `${maskedCommand(command)} (backups.fetch) ended well, but`
  for (const part of ['', '-wal', '-journal'] as const) {
    const found = await lstat(onDisk(out + part)).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
      throw systemFailure(error, { doing: 'inspect', path: out + part })
    })
    if (found === null && part === '') {
      const hint = 'the command must write the database to the file that {out} names'
      throw new Failure('BACKUP_UNKNOWN', `${brought} it wrote no file to {out}`, { hint })
    }
    if (found === null) continue
    if (!found.isFile() || found.nlink > 1)
      throw new Failure('BACKUP_BROKEN', `${brought} what it wrote to {out} is not a file of its own`, {
        hint: 'the command must copy the database there; a link does not count',
      })
    await chmod(onDisk(out + part), 0o600)
  }
  return out as SnapshotPath // A private copy, as one that a person names with `--snapshot`.
}
