/**
 * The folder of a live file, by descriptor: it may belong to another user, who may rename in it. All names of a change
 * are made, exchanged and removed through it.
 */
import { closeSync, constants, fsyncSync, lstatSync, openSync, renameSync, unlinkSync, type BigIntStats } from 'node:fs'
import { unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { systemFailure } from '../../../host/failures/system-failure.ts'
import { exchangeNames } from '../../../host/files/exchange-names.ts'
import { nameOf, onDisk } from '../../../host/files/file-name.ts'
import { OpenFolder } from '../../../host/folders/open-folder.ts'
import type { ChangeId } from '../../../model/brand.ts'

export interface Identity {
  readonly dev: bigint
  readonly ino: bigint
}

export class LiveFolder implements Disposable {
  /** Path of the live file. */
  readonly path: string
  /** Name of the live file. */
  readonly base: string
  readonly #folder: OpenFolder
  /** The same folder, opened so that it can be synced. */
  readonly #toSync: number

  private constructor(path: string, folder: OpenFolder, toSync: number) {
    this.path = path
    this.base = basename(path)
    this.#folder = folder
    this.#toSync = toSync
  }

  /** @throws {Failure} NO_PERMISSION and others: a folder that cannot be synced cannot be changed durably */
  static open(path: string): LiveFolder {
    return inWords('open the folder of', path, () => {
      const folder = OpenFolder.named(dirname(path))
      try {
        return new LiveFolder(path, folder, openSync(folder.at('.'), constants.O_RDONLY | constants.O_DIRECTORY))
      } catch (error) {
        folder[Symbol.dispose]()
        throw error
      }
    })
  }

  /** A path by which only this folder can be meant. */
  at(name: string): string {
    return nameOf(Buffer.from(this.#folder.at(Buffer.from(onDisk(name)))))
  }

  /** For messages. */
  pathOf(name: string): string {
    return join(dirname(this.path), name)
  }

  /** Null if the name leads nowhere. Links are not followed. */
  find(name: string): BigIntStats | null {
    return inWords('look up', this.pathOf(name), () => {
      return lstatSync(onDisk(this.at(name)), { bigint: true, throwIfNoEntry: false }) ?? null
    })
  }

  leadsTo(name: string, file: Identity): boolean {
    const found = this.find(name)
    return found !== null && found.dev === file.dev && found.ino === file.ino
  }

  /** @returns false if names cannot be exchanged here */
  exchange(one: string, other: string): boolean {
    return inWords('exchange the names of', this.pathOf(other), () => exchangeNames(this.#folder, one, other))
  }

  rename(from: string, to: string): void {
    inWords('rename', this.pathOf(from), () => renameSync(onDisk(this.at(from)), onDisk(this.at(to))))
  }

  unlink(name: string): void {
    inWords('delete', this.pathOf(name), () => unlinkSync(onDisk(this.at(name))))
  }

  /** Waits until the names are on the disk. */
  sync(): void {
    inWords('sync the folder of', this.path, () => fsyncSync(this.#toSync))
  }

  /** Names that a change has made here. */
  namesOf(change: ChangeId): readonly string[] {
    const ours = new RegExp(`^\\.holdfast-${change}-\\d+-[a-z]+$`)
    return this.#folder
      .names()
      .map(nameOf)
      .filter((name) => ours.test(name))
  }

  /**
   * Deletes what a change has left here, off the event loop: a large file takes long.
   * @returns names that could not be deleted
   */
  async removeNamesOf(change: ChangeId): Promise<readonly string[]> {
    const left: string[] = []
    for (const name of this.namesOf(change)) await unlink(onDisk(this.at(name))).catch(() => left.push(name))
    return left.filter((name) => this.find(name) !== null)
  }

  [Symbol.dispose](): void {
    closeSync(this.#toSync)
    this.#folder[Symbol.dispose]()
  }
}

/** A name that no program takes for a database, and no other change uses. @param nth of the file, counted from 1 */
export const nameBeside = (change: ChangeId, nth: number, what: string): string => `.holdfast-${change}-${nth}-${what}`

function inWords<Value>(doing: string, path: string, work: () => Value): Value {
  try {
    return work()
  } catch (error) {
    throw systemFailure(error, { doing, path, tenant: 'untouched' })
  }
}
