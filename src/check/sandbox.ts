/**
 * A sandbox: a folder that is all a reading child can see. A snapshot is hard-linked into it, so its files keep their
 * names outside too: whatever happens to us, nothing of it is lost.
 *
 * The folder belongs to the user of the children, and a file may have taken a child over. So the parent names files in
 * it through the folder's descriptor, and never follows a link. It enters folders inside only after `#takeBack`.
 * The calls on names are synchronous, because the thread pool is slower (check/README.md, measured).
 */
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  linkSync,
  lstatSync,
  openSync,
  renameSync,
  unlinkSync,
  type BigIntStats,
} from 'node:fs'
import { mkdtemp, rmdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { copyRegularFile } from '../host/files/copy-file.ts'
import { copyRangeSparsely } from '../host/files/copy-range.ts'
import { openDescriptor, pathOf, type Descriptor } from '../host/files/descriptor.ts'
import { emptyFolder } from '../host/folders/empty-folder.ts'
import { OpenFolder } from '../host/folders/open-folder.ts'
import { killRootedIn } from '../host/process/rooted-processes.ts'
import type { SnapshotPath } from '../model/brand.ts'
import { Failure } from '../model/failure.ts'
import { keptFile, type KeptFile, type KeptFiles } from '../model/kept-file.ts'
import { count } from '../text/count.ts'
import { cannotConfine } from './confinement.ts'
import type { User } from './confinement.ts'
import { recoveredName } from './protocol.ts'

/** Without `-shm`, which SQLite makes anew from the WAL. */
const parts = ['', '-wal', '-journal'] as const
type Part = (typeof parts)[number]

interface LinkedFile {
  readonly part: Part
  readonly outside: Descriptor
  /** As it was outside. */
  readonly found: BigIntStats
  readonly kept: KeptFiles | null
  /** `copied` if the file system makes no hard link between the two: the snapshot outside then stays unrecovered. */
  inside: 'not-yet' | 'linked' | 'copied'
}

export class Sandbox implements AsyncDisposable {
  readonly folder: string
  readonly #inside: OpenFolder
  readonly #user: User | null
  #files: LinkedFile[] = []
  #isClosed = false

  private constructor(folder: string, inside: OpenFolder, user: User | null) {
    this.folder = folder
    this.#inside = inside
    this.#user = user
  }

  /**
   * @param parent a folder that is ours alone, on the file system of the snapshots
   * @param user of the children; null for ours
   */
  static async open(parent: string, user: User | null): Promise<Sandbox> {
    using above = OpenFolder.named(parent)
    const name = basename(await mkdtemp(above.at(`sandbox-${process.pid}-`)))
    let sandbox: Sandbox | null = null
    try {
      sandbox = new Sandbox(join(parent, name), above.below(name), user)
      sandbox.#giveToChildren()
      return sandbox
    } catch (error) {
      if (sandbox === null) await rmdir(above.at(name))
      else await sandbox[Symbol.asyncDispose]()
      throw error
    }
  }

  /**
   * Links the files of a snapshot into the sandbox.
   * @param kept what it consists of; null for the files that are there. `clear` updates it.
   * @throws {Failure} READ_FAILED if the files are not `kept`
   */
  async link(snapshot: SnapshotPath, kept: KeptFiles | null = null): Promise<void> {
    for (const part of parts) {
      const outside = openPart(snapshot + part)
      const found = outside === null ? null : fstatSync(outside.number, { bigint: true })
      if (outside !== null && found !== null) this.#files.push({ part, outside, found, kept, inside: 'not-yet' })
      if (kept !== null) requireKept(snapshot + part, found, kept.get(part) ?? null)
    }
    for (const file of this.#files) await this.#linkInside(file)
  }

  async #linkInside(file: LinkedFile): Promise<void> {
    const path = this.#inside.at(recoveredName + file.part)
    file.inside = await linkOrCopy(file.outside.path, path)
    const linked = file.inside === 'linked'
    using copy = linked ? null : openDescriptor(path, 'read-only')
    if (linked && statOf(path)?.ino !== file.found.ino)
      throw changedFailure(file.outside.path, 'it was replaced meanwhile')
    this.#giveToChildren((copy ?? file.outside).number)
  }

  /**
   * Copies the database file of a snapshot into the sandbox, for a child that changes it. Shares blocks if it can. The
   * snapshot itself stays out of the child's reach.
   * @param kept what the snapshot consists of; null for the file that is there
   * @param name of the copy in the sandbox
   * @throws {Failure} READ_FAILED if it is not `kept`, or not one plain file @throws the error of copying
   * @throws signal.reason if it was aborted
   */
  async copyIn(
    snapshot: SnapshotPath,
    kept: KeptFiles | null,
    signal: AbortSignal,
    name: string = recoveredName,
  ): Promise<void> {
    using outside = openPart(snapshot)
    if (outside === null) throw changedFailure(snapshot, 'it is gone')
    const found = fstatSync(outside.number, { bigint: true })
    if (kept !== null) requireKept(snapshot, found, kept.get('') ?? null)
    for (const part of parts.slice(1))
      if (statOf(snapshot + part) !== null) throw changedFailure(snapshot + part, 'it was not written back')
    const inside = openSync(this.#inside.at(name), 'wx', 0o600)
    try {
      await copyRangeSparsely(outside.number, inside, { offset: 0, bytes: Number(found.size) }, signal)
      this.#giveToChildren(inside)
    } finally {
      closeSync(inside)
    }
  }

  /**
   * Moves a file that a child has made out of the sandbox, and makes it ours. The caller has ended the children.
   * @param to a name that is free, on the same file system
   * @throws {Failure} READ_FAILED if there is no such file, or it is no regular file with this one name
   */
  async takeOut(name: string, to: string): Promise<void> {
    // A child that was taken over may have started others. None may write to the file once it is ours.
    if (this.#user !== null) await killRootedIn(pathOf(this.#inside.number))
    using file = openPart(this.#inside.at(name))
    if (file === null) throw notTakenFailure(name, 'is not there')
    const { nlink, ino } = fstatSync(file.number, { bigint: true })
    if (nlink !== 1n) throw notTakenFailure(name, 'has a second name')
    if (this.#user !== null) fchownSync(file.number, process.geteuid?.() ?? 0, process.getegid?.() ?? 0)
    fchmodSync(file.number, 0o600)
    renameSync(this.#inside.at(name), to)
    if (statOf(to)?.ino !== ino) throw notTakenFailure(name, 'was replaced meanwhile')
  }

  /**
   * Removes the snapshot from the sandbox. A file that SQLite deleted inside (a journal that it rolled back, a WAL that
   * it wrote back) is deleted outside too.
   * @param endChildren ends the children of this sandbox. Called if something inside is not a file. Only a child that
   * was taken over makes such things, and it must not run while they are removed.
   */
  async clear(endChildren: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    for (let file = this.#files[0]; file !== undefined; file = this.#files[0]) {
      this.#giveBack(file)
      file.outside.close()
      this.#files.shift()
    }
    const removed = this.#inside.names().map((name) => isUnlinked(this.#inside.at(name)))
    if (removed.every(Boolean)) return
    await endChildren()
    await this.#takeBack()
    this.#giveToChildren()
  }

  #giveBack({ part, outside, found, kept, inside }: LinkedFile): void {
    if (inside !== 'linked') return
    // SQLite never deletes the database itself. A child that did was taken over; outside is still the snapshot.
    if (part !== '' && statOf(this.#inside.at(recoveredName + part))?.ino !== found.ino) {
      isUnlinked(outside.path)
      kept?.delete(part)
      return
    }
    if (this.#user !== null) fchownSync(outside.number, Number(found.uid), Number(found.gid))
    fchmodSync(outside.number, 0o600)
    kept?.set(part, keptFile(fstatSync(outside.number, { bigint: true })))
  }

  /** @throws {Failure} CANNOT_CONFINE if root has no CAP_CHOWN, or its user namespace does not know the user */
  #giveToChildren(descriptor = this.#inside.number): void {
    if (this.#user === null) return
    try {
      fchownSync(descriptor, this.#user.uid, this.#user.gid)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'EPERM' && code !== 'EINVAL') throw error
      throw cannotConfine(`root may not give them a folder of their own here (chown: ${code})`, error)
    }
  }

  /** Ends all processes in the sandbox and empties it. Afterwards only we use it. */
  async #takeBack(): Promise<void> {
    if (this.#user !== null) await killRootedIn(pathOf(this.#inside.number))
    await emptyFolder(this.#inside)
  }

  /** For a sandbox that cannot be cleared: closes what is open, and leaves the folder as it is. */
  abandon(): void {
    for (const { outside } of this.#files.splice(0)) outside.close()
    this.#close()
  }

  /** Only the first call closes: later the number may be another file's. */
  #close(): void {
    if (!this.#isClosed) this.#inside[Symbol.dispose]()
    this.#isClosed = true
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.clear()
    await this.#takeBack()
    this.#close()
    await rmdir(this.folder)
  }
}

/** null if there is no file. @throws {Failure} READ_FAILED if it is no regular file */
function openPart(path: string): Descriptor | null {
  try {
    return openDescriptor(path, 'read-only')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return null
    throw code === 'ELOOP' || error instanceof Failure ? changedFailure(path, 'it is no regular file', error) : error
  }
}

/** @throws {Failure} READ_FAILED */
function requireKept(path: string, found: BigIntStats | null, kept: KeptFile | null): void {
  if (kept === null && found === null) return
  if (found === null) throw changedFailure(path, 'it is gone')
  if (kept === null) throw changedFailure(path, 'it was not there before')
  if (found.dev !== kept.dev || found.ino !== kept.ino) throw changedFailure(path, 'another file took its place')
  if (Number(found.size) !== kept.bytes)
    throw changedFailure(path, `it has ${count(Number(found.size), 'byte')} instead of ${kept.bytes}`)
}

function changedFailure(path: string, what: string, cause?: unknown): Failure {
  return new Failure('READ_FAILED', `the snapshot is not what was copied: ${JSON.stringify(path)}: ${what}`, {
    hint: 'another program changes the folder for snapshots; give holdfast a folder of its own, and check again',
    cause,
  })
}

const notTakenFailure = (name: string, what: string): Failure =>
  new Failure('READ_FAILED', `the file ${name} that a confined process should have made ${what}`)

async function linkOrCopy(outside: string, inside: string): Promise<'linked' | 'copied'> {
  try {
    linkSync(outside, inside)
    return 'linked'
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') throw changedFailure(outside, 'it is gone', error)
    if (code === 'EEXIST')
      throw changedFailure(outside, 'a file of its name is already in the folder of the reader', error)
    if (code !== 'EXDEV' && code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EMLINK') throw error
    await copyRegularFile(outside, inside, 'refuse')
    return 'copied'
  }
}

/** False for a folder: a child that was taken over may have made one. */
function isUnlinked(path: string | Buffer): boolean {
  try {
    unlinkSync(path)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return true // Another program has deleted the snapshot. What was read stays valid.
    if (code === 'EISDIR' || code === 'EPERM') return false
    throw error
  }
}

/** null if there is no file. */
const statOf = (path: string): BigIntStats | null => lstatSync(path, { bigint: true, throwIfNoEntry: false }) ?? null
