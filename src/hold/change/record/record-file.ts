/**
 * The record on the disk. It is locked as long as the run that changes the live set lives. The lock belongs to the open
 * file and ends with its process, however that ends. A version gets the name only when it is locked and synced.
 */
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { systemFailure } from '../../../host/failures/system-failure.ts'
import { onDisk } from '../../../host/files/file-name.ts'
import { SystemCallError } from '../../../host/libc.ts'
import { tryLock } from '../../../host/locks/byte-lock.ts'
import { Failure } from '../../../model/failure.ts'
import { syncNames } from '../steps/sync-names.ts'
import type { ChangeRecord } from './change-record.ts'
import { recordShape } from './record-shape.ts'

const bytesMax = 4_000_000
const lockedByte = { start: 0, length: 1 } as const

export class RecordFile implements Disposable {
  readonly path: string
  #file: number
  #record: ChangeRecord

  private constructor(path: string, file: number, record: ChangeRecord) {
    this.path = path
    this.#file = file
    this.#record = record
  }

  /** @throws {Failure} NO_SPACE, NO_PERMISSION and others */
  static create(path: string, record: ChangeRecord): RecordFile {
    return new RecordFile(path, writeRecord(path, record), record)
  }

  /**
   * Takes over the record of a run that is gone.
   * @returns `owned` if a process that lives has it, or if this cannot be known here; null if it is no record of ours
   */
  static takeOver(path: string): RecordFile | 'owned' | null {
    const file = openRecord(path)
    if (file === null) return null
    let kept = false
    try {
      if (lock(file) !== 'granted') return 'owned'
      const record = parse(file)
      // Another version may have got the name since it was opened.
      const named = lstatSync(onDisk(path), { throwIfNoEntry: false })
      if (named?.ino !== fstatSync(file).ino) return 'owned'
      if (record === null) return null
      kept = true
      return new RecordFile(path, file, record)
    } finally {
      if (!kept) closeSync(file)
    }
  }

  get record(): ChangeRecord {
    return this.#record
  }

  /** Replaces it durably. @throws {Failure} NO_SPACE, NO_PERMISSION and others; the version before stays then */
  update(changed: Partial<ChangeRecord>): void {
    const record = { ...this.#record, ...changed, at: new Date().toISOString() }
    const file = writeRecord(this.path, record)
    closeSync(this.#file)
    this.#file = file
    this.#record = record
  }

  [Symbol.dispose](): void {
    if (this.#file >= 0) closeSync(this.#file)
    this.#file = -1
  }
}

/** @returns null if it is no record of ours, or cannot be read */
export function readChangeRecord(path: string): ChangeRecord | null {
  const file = openRecord(path)
  if (file === null) return null
  try {
    return parse(file)
  } finally {
    closeSync(file)
  }
}

function writeRecord(path: string, record: ChangeRecord): number {
  const draft = `${path}.new`
  let file = -1
  try {
    unlinkIfThere(draft) // Of a run that was killed.
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
    file = openSync(onDisk(draft), flags, 0o600)
    lock(file)
    const bytes = Buffer.from(`${JSON.stringify(record, null, 2)}\n`)
    for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done)
    fsyncSync(file)
    renameSync(onDisk(draft), onDisk(path))
    syncNames(path)
    return file
  } catch (error) {
    if (file >= 0) closeSync(file)
    throw systemFailure(error, { doing: 'write the record of the change', path, tenant: 'untouched' })
  }
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(onDisk(path))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

function openRecord(path: string): number | null {
  try {
    const file = openSync(onDisk(path), constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    const found = fstatSync(file)
    const user = process.geteuid?.() ?? found.uid
    // Another user's record could have us change or delete files.
    if (found.isFile() && found.size <= bytesMax && found.uid === user && (found.mode & 0o077) === 0) return file
    closeSync(file)
    return null
  } catch (error) {
    if (['ENOENT', 'ELOOP', 'EACCES', 'ENXIO', 'EISDIR'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return null
    throw systemFailure(error, { doing: 'read the record of the change', path })
  }
}

/** `unknown` if the file system has no such locks. */
function lock(file: number): 'granted' | 'refused' | 'unknown' {
  try {
    return tryLock(file, 'write', lockedByte)
  } catch (error) {
    if (error instanceof Failure || error instanceof SystemCallError) return 'unknown'
    throw error
  }
}

function parse(file: number): ChangeRecord | null {
  const bytes = Buffer.alloc(fstatSync(file).size)
  try {
    const text = bytes.toString('utf8', 0, readSync(file, bytes, 0, bytes.length, 0))
    const read = recordShape.safeParse(JSON.parse(text))
    return read.success ? (read.data as unknown as ChangeRecord) : null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}
