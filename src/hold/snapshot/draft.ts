/**
 * A draft: the snapshot while nobody may read it yet. It lives in a folder that ends in `.partial`; only after the
 * tenant was resumed and everything was proven is it hashed and renamed (hold/README.md step 10). Disposing an unkept
 * draft deletes it.
 *
 * Names and descriptors are dealt with at once: through the thread pool each took ten times as long, and some of that
 * of a pause. What may take long by the size of a file (truncating, deleting) goes there.
 */
import { closeSync, fstatSync, ftruncate, mkdirSync, openSync, renameSync, rmdirSync } from 'node:fs'
import { rm, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { isSystemError, nameOfError, systemFailure } from '../../host/failures/system-failure.ts'
import { digestOf } from '../../host/files/digest.ts'
import type { SnapshotPath } from '../../model/brand.ts'
import { invariant } from '../../model/bug.ts'
import { keptFile, type KeptFiles } from '../../model/kept.ts'
import type { LiveSetPart, SnapshotEvidence } from '../../model/result/evidence.ts'
import { liveSetParts } from '../../model/result/evidence.ts'

const partialSuffix = '.partial'
/** The database file in a snapshot's folder; its journal and WAL lie beside it under SQLite's own names. */
export const snapshotName = 'snapshot.db'

/** A private copy of a live set that came out of a hold with both proofs. Disposing it deletes it. */
export interface Snapshot extends AsyncDisposable {
  readonly path: SnapshotPath
  /** Folder that holds the snapshot and nothing else. */
  readonly folder: string
  readonly bytes: number
  /** Room that it takes on the disk, at most; less than `bytes` where it has holes. */
  readonly bytesOnDisk: number
  readonly files: SnapshotEvidence['files']
  readonly kept: KeptFiles
}

export class Draft implements AsyncDisposable {
  readonly #folder: string
  /** Raw descriptors. */
  readonly #files = new Map<LiveSetPart, number>()
  #kept = false

  private constructor(folder: string) {
    this.#folder = folder
  }

  /**
   * @param parent the snapshot folder; see `requirePrivateFolder`
   * @param name unique in it; encoded by the caller
   * @throws {Failure} NO_SPACE
   */
  static async open(parent: string, name: string): Promise<Draft> {
    const folder = join(parent, name + partialSuffix)
    spaceAllowing(folder, () => mkdirSync(folder, { mode: 0o700 }))
    return new Draft(folder)
  }

  /** Descriptor of the copy of a part, created on first use with mode 0600. */
  async descriptor(part: LiveSetPart): Promise<number> {
    const path = join(this.#folder, snapshotName + part)
    const file = this.#files.get(part) ?? spaceAllowing(path, () => openSync(path, 'wx+', 0o600))
    this.#files.set(part, file)
    return file
  }

  /** Passes an error of copying on, as the Failure that it is where our disk or a limit took no more. */
  readonly failed = (error: unknown): never => {
    throw outOfSpace(this.#folder, error)
  }

  /** Throws away what was copied of a part, so that it can be copied again. */
  restart(part: LiveSetPart): Promise<void> {
    return this.truncate(part, 0)
  }

  async truncate(part: LiveSetPart, bytes: number): Promise<void> {
    const file = this.#files.get(part)
    if (file !== undefined) await truncateFile(file, bytes)
  }

  /** Gives the room on the disk back before the draft is disposed of. */
  async empty(): Promise<void> {
    await Promise.all([...this.#files.values()].map((file) => truncateFile(file, 0)))
  }

  async size(part: LiveSetPart): Promise<number> {
    const file = this.#files.get(part)
    return file === undefined ? 0 : fstatSync(file).size
  }

  /** What was written of a part, without its holes. */
  bytesOnDisk(part: LiveSetPart): number {
    const file = this.#files.get(part)
    return file === undefined ? 0 : writtenBytes(file)
  }

  /**
   * Makes a snapshot of the draft: hash, rename. It is not synced, for it is read and deleted: what is to outlive the
   * run is copied (manifest.ts).
   */
  async keep(signal: AbortSignal): Promise<Snapshot> {
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
    this.#kept = true
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
    if (!this.#kept) await rm(this.#folder, { recursive: true, force: true })
  }
}

/**
 * One that cannot be deleted now goes with the folder of the run, whose end says what is in the way: what was read of
 * it was read.
 *
 * Most snapshots are one file by the time they are deleted: SQLite has written journal and WAL back. The file goes
 * through the thread pool: beside a disk that is busy it took 3 ms, of which another tenant's pause had its part.
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

function spaceAllowing<Value>(path: string, work: () => Value): Value {
  try {
    return work()
  } catch (error) {
    throw systemFailure(error, { doing: 'make', path, elsewhere: otherDisk, concerns: 'machine' })
  }
}

/** The Failure of a copy where the disk or a limit took no more; what the original may have caused is passed on. */
export function outOfSpace(to: string, error: unknown): unknown {
  if (!isSystemError(error) || !ofTheCopy.has(nameOfError(error))) return error
  return systemFailure(error, { doing: 'write the snapshot', path: to, elsewhere: otherDisk })
}

const ofTheCopy = new Set(['ENOSPC', 'EDQUOT', 'EFBIG', 'EROFS'])
/** Where the folder for snapshots comes from: a configuration, the command line, or the environment. */
export const otherDisk = 'name a folder on another disk in snapshots.dir (for files: `--snapshots DIR`, or TMPDIR)'

/** Name of a draft, and of the snapshot that it becomes. @param name unique in this run; letters, digits and hyphens */
export const draftName = (name: string | number): string => `hold-${name}`
