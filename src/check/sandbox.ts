/**
 * A room: the folder that is all a reading child can see. A snapshot is let in by hard links, so that its files keep
 * their names outside as well: whatever happens to us, nothing of it is lost.
 *
 * The room belongs to the user of its children, and one of them may have been taken over by the file that it read. So
 * names in it are dealt with through the room's descriptor, and none is ever followed. What is more than a file is
 * looked into only after the room was taken back. Names are dealt with synchronously: through the thread pool a small
 * snapshot cost as long as a tenth of its check.
 */
import { fchmodSync, fchownSync, fstatSync, linkSync, lstatSync, unlinkSync, type BigIntStats } from 'node:fs'
import { mkdtemp, rmdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { copyRegularFile } from '../host/files/copy-file.ts'
import { openDescriptor, pathOf, type Descriptor } from '../host/files/descriptor.ts'
import { emptyFolder } from '../host/folders/empty-folder.ts'
import { OpenFolder } from '../host/folders/open-folder.ts'
import { killRootedIn } from '../host/process/rooted-processes.ts'
import type { SnapshotPath } from '../model/brand.ts'
import { Failure } from '../model/failure.ts'
import { keptFile, type KeptFile, type KeptFiles } from '../model/kept.ts'
import { count } from '../text/count.ts'
import { cannotConfine } from './confinement.ts'
import type { User } from './confinement.ts'
import { recoveredName } from './protocol.ts'

/** The -shm of a snapshot is worth nothing: SQLite makes it anew from the WAL. */
const parts = ['', '-wal', '-journal'] as const
type Part = (typeof parts)[number]

interface LinkedFile {
  readonly part: Part
  readonly outside: Descriptor
  /** As it was outside. */
  readonly found: BigIntStats
  readonly kept: KeptFiles | null
  /**
   * Where the file system has no hard links between the two, a copy went in: the snapshot stays as it was, unsettled.
   */
  entered: 'not-yet' | 'linked' | 'copied'
}

export class Sandbox implements AsyncDisposable {
  readonly folder: string
  readonly #inside: OpenFolder
  readonly #user: User | null
  #guests: LinkedFile[] = []
  #isClosed = false

  private constructor(folder: string, inside: OpenFolder, user: User | null) {
    this.folder = folder
    this.#inside = inside
    this.#user = user
  }

  /** @param beside a folder that is ours alone, on the file system of the snapshots */
  static async open(beside: string, user: User | null): Promise<Sandbox> {
    using above = OpenFolder.named(beside)
    const name = basename(await mkdtemp(above.at(`room-${process.pid}-`)))
    let room: Sandbox | null = null
    try {
      room = new Sandbox(join(beside, name), above.below(name), user)
      room.#giveToChildren()
      return room
    } catch (error) {
      if (room === null) await rmdir(above.at(name))
      else await room[Symbol.asyncDispose]()
      throw error
    }
  }

  /**
   * Lets a snapshot in.
   * @param kept what it consists of; null for whatever lies there. Kept up to date when the snapshot leaves the room.
   * @throws {Failure} READ_FAILED when what lies there is anything else
   */
  async link(snapshot: SnapshotPath, kept: KeptFiles | null = null): Promise<void> {
    for (const part of parts) {
      const outside = openPart(snapshot + part)
      const found = outside === null ? null : fstatSync(outside.number, { bigint: true })
      if (outside !== null && found !== null) this.#guests.push({ part, outside, found, kept, entered: 'not-yet' })
      if (kept !== null) requireKept(snapshot + part, found, kept.get(part) ?? null)
    }
    for (const guest of this.#guests) await this.#letIn(guest)
  }

  async #letIn(guest: LinkedFile): Promise<void> {
    const inside = this.#inside.at(recoveredName + guest.part)
    guest.entered = await linkOrCopy(guest.outside.path, inside)
    const linked = guest.entered === 'linked'
    using copy = linked ? null : openDescriptor(inside, 'read-only')
    if (linked && look(inside)?.ino !== guest.found.ino) throw changed(guest.outside.path, 'it was replaced meanwhile')
    this.#giveToChildren((copy ?? guest.outside).number)
  }

  /**
   * Takes the snapshot out again. What SQLite removed inside (a journal rolled back, a WAL written back) goes outside
   * too.
   * @param endChildren ends the children of this room; called before what only a child that was taken over can have
   * made is looked into
   */
  async clear(endChildren: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    for (let guest = this.#guests[0]; guest !== undefined; guest = this.#guests[0]) {
      this.#giveBack(guest)
      guest.outside.close()
      this.#guests.shift()
    }
    const plain = this.#inside.names().map((name) => isUnlinked(this.#inside.at(name)))
    if (plain.every(Boolean)) return
    await endChildren()
    await this.#takeBack()
    this.#giveToChildren()
  }

  #giveBack({ part, outside, found, kept, entered }: LinkedFile): void {
    if (entered !== 'linked') return
    // SQLite never removes the database itself. A child that did was taken over, and outside is still the snapshot.
    if (part !== '' && look(this.#inside.at(recoveredName + part))?.ino !== found.ino) {
      isUnlinked(outside.path)
      kept?.delete(part)
      return
    }
    if (this.#user !== null) fchownSync(outside.number, Number(found.uid), Number(found.gid))
    fchmodSync(outside.number, 0o600)
    kept?.set(part, keptFile(fstatSync(outside.number, { bigint: true })))
  }

  /**
   * @throws {Failure} CANNOT_CONFINE for root without CAP_CHOWN, and in a user namespace that does not know the user
   */
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

  /** Ends whatever still runs in the room and empties it. Afterwards it is ours. */
  async #takeBack(): Promise<void> {
    if (this.#user !== null) await killRootedIn(pathOf(this.#inside.number))
    await emptyFolder(this.#inside)
  }

  /** Closes what is open and leaves the folder as it is: for one that cannot be cleared. */
  abandon(): void {
    for (const { outside } of this.#guests.splice(0)) outside.close()
    this.#close()
  }

  /** Repeatable: the number may be another file's by now. */
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

/** null where there is none. @throws {Failure} READ_FAILED for what is no regular file */
function openPart(path: string): Descriptor | null {
  try {
    return openDescriptor(path, 'read-only')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return null
    throw code === 'ELOOP' || error instanceof Failure ? changed(path, 'it is no regular file', error) : error
  }
}

/** @throws {Failure} READ_FAILED */
function requireKept(path: string, found: BigIntStats | null, kept: KeptFile | null): void {
  if (kept === null && found === null) return
  if (found === null) throw changed(path, 'it is gone')
  if (kept === null) throw changed(path, 'it was not there before')
  if (found.dev !== kept.dev || found.ino !== kept.ino) throw changed(path, 'another file took its place')
  if (Number(found.size) !== kept.bytes)
    throw changed(path, `it has ${count(Number(found.size), 'byte')} instead of ${kept.bytes}`)
}

function changed(path: string, what: string, cause?: unknown): Failure {
  return new Failure('READ_FAILED', `the snapshot is not what was copied: ${JSON.stringify(path)}: ${what}`, {
    hint: 'another program changes the folder for snapshots; give holdfast a folder of its own, and check again',
    cause,
  })
}

async function linkOrCopy(outside: string, inside: string): Promise<'linked' | 'copied'> {
  try {
    linkSync(outside, inside)
    return 'linked'
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') throw changed(outside, 'it is gone', error)
    if (code === 'EEXIST') throw changed(outside, 'a file of its name is already in the folder of the reader', error)
    if (code !== 'EXDEV' && code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EMLINK') throw error
    await copyRegularFile(outside, inside, 'refuse')
    return 'copied'
  }
}

/** False for what is more than a file: a child that was taken over may have made folders. */
function isUnlinked(path: string | Buffer): boolean {
  try {
    unlinkSync(path)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return true // Somebody removed the snapshot meanwhile: what was read of it was read.
    if (code === 'EISDIR' || code === 'EPERM') return false
    throw error
  }
}

/** null for nothing. */
const look = (path: string): BigIntStats | null => lstatSync(path, { bigint: true, throwIfNoEntry: false }) ?? null
