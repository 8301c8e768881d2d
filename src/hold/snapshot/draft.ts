/**
 * A draft: a copy that may not be read yet. It lies in a folder that ends in `.partial`. Only when everything is proven
 * and the tenant was resumed is it hashed and renamed. Disposing of a draft that was not published deletes it.
 *
 * Uses synchronous calls for names and descriptors: each is ten times faster than through the thread pool, and some run
 * while a tenant is paused. Truncating and deleting may take long for a large file, and use the thread pool.
 */
import { closeSync, fstatSync, ftruncate, mkdirSync, openSync, renameSync, rmdirSync } from 'node:fs'
import { rm, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { isSystemError, nameOfError, systemFailure } from '../../host/failures/system-failure.ts'
import { digestOf } from '../../host/files/digest.ts'
import type { SnapshotPath } from '../../model/brand.ts'
import { invariant } from '../../model/bug.ts'
import { keptFile, type KeptFiles } from '../../model/kept-file.ts'
import type { LiveSetPart, SnapshotEvidence } from '../../model/result/evidence.ts'
import { liveSetParts } from '../../model/result/evidence.ts'

const partialSuffix = '.partial'
/** Name of the database file in a snapshot's folder. Its journal and WAL lie beside it under SQLite's own names. */
export const snapshotName = 'snapshot.db'

/** A private copy of a live set, with both proofs. Disposing of it deletes it. */
export interface Snapshot extends AsyncDisposable {
  readonly path: SnapshotPath
  /** The folder that contains the snapshot and nothing else. */
  readonly folder: string
  readonly bytes: number
  /** Bytes that it uses on the disk, at most; fewer than `bytes` if it has holes. */
  readonly bytesOnDisk: number
  readonly files: SnapshotEvidence['files']
  readonly kept: KeptFiles
}

export class Draft implements AsyncDisposable {
  readonly #folder: string
  /** Raw descriptors. */
  readonly #files = new Map<LiveSetPart, number>()
  #published = false

  private constructor(folder: string) {
    this.#folder = folder
  }

  /**
   * Makes its folder.
   * @param parent the snapshot folder; see `requirePrivateFolder`
   * @param name unique in it; encoded by the caller
   * @throws {Failure} NO_SPACE
   */
  static open(parent: string, name: string): Draft {
    const folder = join(parent, name + partialSuffix)
    orNoSpace(folder, () => mkdirSync(folder, { mode: 0o700 }))
    return new Draft(folder)
  }

  /** Descriptor of the copy of a part, created on first use with mode 0600. @throws {Failure} NO_SPACE */
  descriptor(part: LiveSetPart): number {
    const path = join(this.#folder, snapshotName + part)
    const file = this.#files.get(part) ?? orNoSpace(path, () => openSync(path, 'wx+', 0o600))
    this.#files.set(part, file)
    return file
  }

  /** Throws an error of copying on; as a failure, if our disk or a limit took no more. */
  readonly failed = (error: unknown): never => {
    throw outOfSpace(this.#folder, error)
  }

  /** Discards what was copied of a part, so that it can be copied again. */
  restart(part: LiveSetPart): Promise<void> {
    return this.truncate(part, 0)
  }

  async truncate(part: LiveSetPart, bytes: number): Promise<void> {
    const file = this.#files.get(part)
    if (file !== undefined) await truncateFile(file, bytes)
  }

  /** Frees its space on the disk before it is disposed of. */
  async empty(): Promise<void> {
    await Promise.all([...this.#files.values()].map((file) => truncateFile(file, 0)))
  }

  size(part: LiveSetPart): number {
    const file = this.#files.get(part)
    return file === undefined ? 0 : fstatSync(file).size
  }

  /** Bytes that were written of a part, without its holes. */
  bytesOnDisk(part: LiveSetPart): number {
    const file = this.#files.get(part)
    return file === undefined ? 0 : writtenBytes(file)
  }

  /**
   * Makes a snapshot of the draft: hash, rename. It is not synced, because it is read and deleted. A snapshot that is
   * to outlive the run is copied (hold/copies/manifest.ts).
   */
  async publish(signal: AbortSignal): Promise<Snapshot> {
    invariant(this.#files.has(''), 'a snapshot has a database file')
    const files: SnapshotEvidence['files'][number][] = []
    const kept: KeptFiles = new Map()
    for (const part of liveSetParts) {
      const file = this.#files.get(part)
      if (file === undefined) continue
      files.push({ part, ...(await digestOf(file, signal)) })
      kept.set(part, keptFile(fstatSync(file, { bigint: true })))
    }
    const bytesOnDisk = liveSetParts.reduce((sum, part) => sum + this.bytesOnDisk(part), 0)
    this.#close()
    const folder = this.#folder.slice(0, -partialSuffix.length)
    renameSync(this.#folder, folder)
    this.#published = true
    const bytes = files.reduce((sum, { bytes }) => sum + bytes, 0)
    return {
      path: join(folder, snapshotName) as SnapshotPath,
      folder,
      files,
      kept,
      bytes,
      bytesOnDisk,
      [Symbol.asyncDispose]: () => removeFolder(folder),
    }
  }

  #close(): void {
    const open = [...this.#files.values()]
    this.#files.clear()
    for (const file of open) closeSync(file)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close()
    if (!this.#published) await rm(this.#folder, { recursive: true, force: true })
  }
}

/**
 * Deletes a snapshot. One that cannot be deleted now is deleted with the folder of the run, which reports what is in
 * the way.
 *
 * Most snapshots are one file when they are deleted: SQLite has written journal and WAL back. The file is deleted
 * through the thread pool, because a busy disk takes milliseconds for it, during which another tenant may be paused.
 */
export async function removeFolder(folder: string): Promise<void> {
  try {
    await unlink(join(folder, snapshotName))
    rmdirSync(folder)
  } catch {
    await rm(folder, { recursive: true, force: true }).catch((error: unknown) => {
      if (!isSystemError(error)) throw error
    })
  }
}

function writtenBytes(file: number): number {
  const { size, blocks } = fstatSync(file)
  return Math.min(size, blocks * 512)
}

const truncateFile = promisify(ftruncate)

function orNoSpace<Value>(path: string, work: () => Value): Value {
  try {
    return work()
  } catch (error) {
    throw systemFailure(error, { doing: 'make', path, elsewhere: otherDisk, concerns: 'machine' })
  }
}

/**
 * The failure of a copy if the disk or a limit took no more. An error that the original may have caused stays as it is.
 */
export function outOfSpace(to: string, error: unknown): unknown {
  if (!isSystemError(error) || !ofTheCopy.has(nameOfError(error))) return error
  return systemFailure(error, { doing: 'write the snapshot', path: to, elsewhere: otherDisk })
}

const ofTheCopy = new Set(['ENOSPC', 'EDQUOT', 'EFBIG', 'EROFS'])
/** How to use another folder for snapshots, in the configuration, on the command line, or in the environment. */
export const otherDisk = 'name a folder on another disk in snapshots.dir (for files: `--snapshots DIR`, or TMPDIR)'

/** Name of a draft, and of the snapshot that it becomes. @param name unique in this run; letters, digits and hyphens */
export const draftName = (name: string | number): string => `hold-${name}`
