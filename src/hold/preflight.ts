/** The preflight: everything about the files and the disk that can be refused while the tenant still serves. */
import { statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { monotonicMs } from '../host/clock.ts'
import { systemFailure } from '../host/failures/system-failure.ts'
import { canReflink } from '../host/files/copy-range.ts'
import { fileSystemOf, type FileSystem } from '../host/files/file-system.ts'
import { dataBytesOf } from '../host/files/holes.ts'
import type { LivePath } from '../model/brand.ts'
import { Failure } from '../model/failure.ts'
import type { SealLevel } from '../model/result/evidence.ts'
import { readHeader } from '../sqlite/header.ts'
import { firstBytes, kindOfFile, type FileKind } from './file-kind.ts'
import type { HoldRequest } from './hold-request.ts'
import type { LiveFiles } from './live/live-files.ts'

/**
 * Local file systems on which byte locks and kernel leases were tried, or whose code for them is the same (F11).
 */
const trustedTypes = new Set(['ext2', 'ext3', 'ext4', 'xfs', 'btrfs', 'zfs', 'f2fs', 'bcachefs', 'tmpfs', 'overlay'])

/** File systems that may share blocks between files. Whether this one does is tried. */
const reflinkTypes = new Set(['xfs', 'btrfs', 'bcachefs', 'zfs', 'overlay'])

export interface PreflightResult extends FileKind {
  readonly fileSystem: FileSystem
  /** The strongest seal that this file system can give. */
  readonly strongestLevel: SealLevel
  readonly walMode: boolean
  /** Bytes of the database file, and of its WAL and journal, without holes: what a copy writes. */
  readonly mainBytes: number
  readonly tailBytes: number
  readonly reflink: boolean
  /** Bytes that the snapshot will use on the disk. */
  readonly copyBytes: number
}

/**
 * @param files opened on the live set
 * @param folder where the snapshot will be made
 * @throws {Failure} LOCKS_UNTRUSTED
 */
export async function preflight(
  files: LiveFiles,
  folder: string,
  trustMounts: readonly string[],
): Promise<PreflightResult> {
  const { fileSystem, strongestLevel } = await judgeFileSystem(files, trustMounts)
  const mainBytes = await dataBytesOf(files.descriptor(''))
  let tailBytes = 0
  for (const part of ['-wal', '-journal'] as const)
    if (files.has(part)) tailBytes += await dataBytesOf(files.descriptor(part))
  const reflink = mainBytes > 0 && reflinkTypes.has(fileSystem.type) && (await canReflink(files.descriptor(''), folder))
  const first = await files.read('', 0, 100)
  const header = readHeader(first)
  return {
    fileSystem,
    strongestLevel,
    mainBytes,
    tailBytes,
    reflink,
    copyBytes: reflink ? tailBytes : mainBytes + tailBytes,
    ...kindOf(files, header.kind === 'not-sqlite' ? await files.read('', 0, firstBytes) : first),
    walMode: header.kind === 'header' && header.header.readVersion === 2,
  }
}

/** Reads nothing of the files. @throws {Failure} LOCKS_UNTRUSTED */
export async function judgeFileSystem(
  files: LiveFiles,
  trustMounts: readonly string[],
): Promise<Pick<PreflightResult, 'fileSystem' | 'strongestLevel'>> {
  const fileSystem = await fileSystemNear(files)
  requireTrusted(files.path, fileSystem, trustMounts)
  return { fileSystem, strongestLevel: fileSystem.type === 'overlay' ? 'exclusive' : 'sealed' }
}

/** The mounts are read anew after this time. A thousand tenants of one folder need not each read them. */
const mountsFreshMs = 1_000
const lastFound: { folder: string; dev: bigint; atMs: number; fileSystem: FileSystem | null } = {
  folder: '',
  dev: 0n,
  atMs: 0,
  fileSystem: null,
}

/** Two files of one folder and one device lie on one file system. */
async function fileSystemNear(files: LiveFiles): Promise<FileSystem> {
  const folder = dirname(files.path)
  const { dev } = files.stat('')
  if (
    lastFound.fileSystem !== null &&
    lastFound.folder === folder &&
    lastFound.dev === dev &&
    monotonicMs() - lastFound.atMs < mountsFreshMs
  )
    return lastFound.fileSystem
  const fileSystem = await fileSystemOf(files.path)
  Object.assign(lastFound, { folder, dev, atMs: monotonicMs(), fileSystem })
  return fileSystem
}

/** Whether locks can be relied on here: by the type of file system, or because the configuration trusts the mount. */
export const isTrusted = ({ type, mountPoint }: FileSystem, trustMounts: readonly string[]): boolean =>
  trustedTypes.has(type) || trustMounts.includes(mountPoint)

function requireTrusted(path: LivePath, fileSystem: FileSystem, trustMounts: readonly string[]): void {
  if (isTrusted(fileSystem, trustMounts)) return
  throw new Failure(
    'LOCKS_UNTRUSTED',
    `${path} lies on ${fileSystem.type} mounted at ` +
      `${fileSystem.mountPoint}, where locks are not known to exclude ` +
      'everybody',
  )
}

/**
 * Refuses first what can never fit, so that nothing waits behind it.
 * @param earlierBytes of snapshots that this hold has made already
 * @returns null if the space is reserved now, else a promise that resolves when there may be space
 * @throws {Failure} NO_SPACE
 */
export function reserveSpace(
  copyBytes: number,
  earlierBytes: number,
  { folder, bounds }: Pick<HoldRequest, 'folder' | 'bounds'>,
): Promise<void> | null {
  requireSpace(folder, copyBytes - bounds.othersBytes())
  const space = bounds.reserve(earlierBytes + copyBytes)
  if (space === null) requireSpace(folder, copyBytes)
  return space
}

/** What a file system needs for itself when many small files come and go. */
const spaceMarginMib = 16

/**
 * @param what needs the bytes
 * @throws {Failure} NO_SPACE; NOT_FOUND and the like if the folder is gone
 */
export function requireSpace(folder: string, bytes: number, what = 'the snapshot'): void {
  const freeBytes = freeBytesIn(folder)
  const marginBytes = spaceMarginMib * 1024 * 1024
  if (freeBytes >= bytes + marginBytes) return
  const needed = `${what} needs ${bytes} bytes, and a margin of ${spaceMarginMib} MiB stays free for the service`
  throw new Failure('NO_SPACE', `${needed}; ${folder} has ${freeBytes} bytes free`, {
    concerns: freeBytes < marginBytes ? 'machine' : 'tenant',
  })
}

function freeBytesIn(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize
  } catch (error) {
    throw systemFailure(error, { doing: 'see how much is free in', path: folder, concerns: 'machine' })
  }
}

function kindOf(files: LiveFiles, first: Uint8Array): FileKind {
  return kindOfFile(first, (part) =>
    files.has(part)
      ? { bytes: Number(files.stat(part).size), read: (offset, length) => files.readCached(part, offset, length) }
      : null,
  )
}

/**
 * What a pause costs besides copying, in ms: the requests for the tenant; locks, probes and proofs of each further
 * file.
 */
const fixedPauseMs = 10
const furtherFileMs = 3
/** Bytes a second that any copy reaches. Used until the rate of a copy was measured. */
const copyRateFloor = 100e6

/**
 * How long the pause will be for so many files, of which so many bytes have yet to be copied.
 * @param rate bytes a second of a copy that was measured; null if none was
 */
export function predictPauseMs(files: number, copyBytes: number, rate: number | null): number {
  return fixedPauseMs + furtherFileMs * (files - 1) + (copyBytes / (rate ?? copyRateFloor)) * 1000
}

/**
 * Refuses a tenant whose last copy was abandoned after a pause longer than the limit. The run after this one tries
 * again, because the ledger then has a refusal as the newest result.
 * @param what the files, by name
 * @param abandonedPauseMs how long the tenant had been paused when its last copy was abandoned. Null if it was not, or
 * if that says nothing about this copy.
 * @throws {Failure} TOO_LARGE_FOR_PAUSE
 */
export function requireNoAbandonedPause(what: string, abandonedPauseMs: number | null, maxPauseMs: number): void {
  if (abandonedPauseMs === null || abandonedPauseMs <= maxPauseMs) return
  throw new Failure(
    'TOO_LARGE_FOR_PAUSE',
    `the tenant had been paused for ${inWords(abandonedPauseMs)} when holdfast ended the last copy of ` +
      `${what}; hold.maxPause is ${inWords(maxPauseMs)}`,
    {
      hint:
        'the next run tries again; use WAL mode or a reflink file system ' +
        '(xfs, btrfs) for a short pause, or raise hold.maxPause',
    },
  )
}

/** @throws {Failure} TOO_LARGE_FOR_PAUSE */
export function requireShortPause(
  what: string,
  predictedMs: number,
  maxPauseMs: number,
  work: 'copying' | 'overwriting' = 'copying',
): void {
  if (predictedMs <= maxPauseMs) return
  throw new Failure(
    'TOO_LARGE_FOR_PAUSE',
    `${work} ${what} would hold the tenant for about ${inWords(predictedMs)}; hold.maxPause is ${inWords(maxPauseMs)}`,
  )
}

const inWords = (ms: number): string => `${Math.round(ms)} ms`
