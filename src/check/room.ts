/**
 * A room: the folder that is all a reading child can see. A snapshot is let in by hard links, so that its files keep their names outside as well:
 * whatever happens to us, nothing of it is lost. Names are dealt with at once: through the thread pool a small snapshot cost as long as a tenth of its check.
 */
import { chmodSync, chownSync, constants, linkSync, lstatSync, readdirSync, unlinkSync, type BigIntStats } from 'node:fs'
import { chown, copyFile, mkdtemp, readdir, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { SnapshotPath } from '../model/brand.ts'
import { isMarkAlive, ownMark } from '../host/processes.ts'
import { cannotConfine } from './confinement.ts'
import type { User } from './confinement.ts'
import { databaseName } from './questions.ts'

/** The -shm of a snapshot is worth nothing: SQLite makes it anew from the WAL. */
const parts = ['', '-wal', '-journal'] as const

interface Guest {
  readonly outside: string
  readonly inside: string
  readonly uid: number
  readonly gid: number
  /** Inode that both names share; null for a copy, where the file system has no hard links between the two. */
  readonly ino: bigint | null
}

export class Room implements AsyncDisposable {
  readonly folder: string
  readonly #user: User | null
  readonly #guests: Guest[] = []

  private constructor(folder: string, user: User | null) {
    this.folder = folder
    this.#user = user
  }

  static async open(beside: string, user: User | null): Promise<Room> {
    const folder = await mkdtemp(join(beside, `room-${ownMark()}-`))
    if (user !== null) await giveTo(user, folder)
    return new Room(folder, user)
  }

  /** Lets a snapshot in. Where the file system refuses links, a copy goes in and the snapshot stays as it was, unsettled. */
  async admit(snapshot: SnapshotPath): Promise<void> {
    for (const part of parts) {
      const outside = snapshot + part
      const stat = look(outside)
      if (stat === null) continue
      if (!stat.isFile()) throw new Error(`${JSON.stringify(outside)} is no regular file`)
      const inside = join(this.folder, databaseName + part)
      const linked = await linkOrCopy(outside, inside)
      this.#guests.push({ outside, inside, uid: Number(stat.uid), gid: Number(stat.gid), ino: linked ? stat.ino : null })
      if (this.#user !== null) chownSync(linked ? outside : inside, this.#user.uid, this.#user.gid)
    }
  }

  /**
   * Takes the snapshot out again. What SQLite removed inside (a journal rolled back, a WAL written back) goes outside too. The child may have been taken
   * over by the file it read: names inside are removed, never followed.
   */
  async clear(): Promise<void> {
    for (const guest of this.#guests) {
      try {
        await this.#giveBack(guest)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error // Somebody removed the snapshot meanwhile: what was read of it was read.
      }
    }
    this.#guests.length = 0
    for (const name of readdirSync(this.folder)) await remove(join(this.folder, name))
  }

  async #giveBack({ outside, inside, uid, gid, ino }: Guest): Promise<void> {
    if (ino === null) return
    if (look(inside)?.ino !== ino && !isMain(inside)) return rm(outside)
    if (this.#user !== null) chownSync(outside, uid, gid)
    chmodSync(outside, 0o600)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.clear()
    await rm(this.folder, { recursive: true })
  }
}

/** @throws {Failure} CANNOT_CONFINE for root without CAP_CHOWN, and in a user namespace that does not know the user */
async function giveTo({ uid, gid }: User, folder: string): Promise<void> {
  try {
    await chown(folder, uid, gid)
  } catch (error) {
    await rmdir(folder)
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'EPERM' && code !== 'EINVAL') throw error
    throw cannotConfine(`root may not give them a folder of their own here (chown: ${code})`, error)
  }
}

/** Nearly always a link to what has its name outside too; a child that was taken over may have made folders. */
async function remove(path: string): Promise<void> {
  try {
    unlinkSync(path)
  } catch {
    await rm(path, { recursive: true })
  }
}

/** SQLite never removes the database itself; a child that did was taken over, and the file outside is still the snapshot. */
const isMain = (inside: string): boolean => inside.endsWith(`/${databaseName}`)

/** True for a link. */
async function linkOrCopy(outside: string, inside: string): Promise<boolean> {
  try {
    linkSync(outside, inside)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'EXDEV' && code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EMLINK') throw error
    await copyFile(outside, inside, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
    return false
  }
}

/** null for nothing. */
const look = (path: string): BigIntStats | null => lstatSync(path, { bigint: true, throwIfNoEntry: false }) ?? null

/** Removes the rooms of processes that are gone. Their snapshots have their names outside; only links are lost. */
export async function removeAbandonedRooms(beside: string): Promise<void> {
  for (const name of await readdir(beside)) {
    const [, mark] = /^room-(\d+-\d+)-\w+$/.exec(name) ?? []
    if (mark === undefined || isMarkAlive(mark)) continue
    await rm(join(beside, name), { recursive: true, force: true })
  }
}
