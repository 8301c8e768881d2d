/** A file of ours beside the live one, which will take its name: written and synced before any pause. */
import { closeSync, fchmodSync, fstatSync, fsyncSync } from 'node:fs'
import { copyAttributes } from '../../../host/files/attributes.ts'
import { tryLock } from '../../../host/locks/byte-lock.ts'
import { leaseOf, releaseLease, takeWriteLease } from '../../../host/locks/kernel-lease.ts'
import { Failure } from '../../../model/failure.ts'
import { lockBytes } from '../../../sqlite/lock-bytes.ts'
import { copyDurably, makeFile, type CopiedContent } from '../original/kept-copy.ts'
import type { StagedFileRecord } from '../record/change-record.ts'
import type { Identity, LiveFolder } from './live-folder.ts'

export class StagedFile implements Disposable {
  readonly name: string
  readonly content: CopiedContent
  readonly identity: Identity
  readonly #file: number
  readonly #folder: LiveFolder
  #leased = false
  #open = true

  private constructor(folder: LiveFolder, name: string, file: number, content: CopiedContent) {
    this.name = name
    this.content = content
    this.#file = file
    this.#folder = folder
    const { dev, ino } = fstatSync(file, { bigint: true })
    this.identity = { dev, ino }
  }

  /**
   * @param from a private file
   * @param like open descriptor of the live file, whose attributes it gets
   * @throws {Failure} NO_SPACE, NO_PERMISSION and others; nothing is left then
   */
  static async make(
    folder: LiveFolder,
    name: string,
    from: string,
    like: number,
    signal: AbortSignal,
  ): Promise<StagedFile> {
    const file = makeFile(folder.at(name))
    try {
      const content = await copyDurably(from, file, folder.pathOf(name), signal)
      const beside = new StagedFile(folder, name, file, content)
      beside.resemble(like)
      folder.sync()
      return beside
    } catch (error) {
      folder.unlink(name)
      closeSync(file)
      throw error
    }
  }

  get descriptor(): number {
    return this.#file
  }

  /** Gives it the attributes of the live file, durably. @throws {Failure} NO_PERMISSION */
  resemble(like: number): void {
    try {
      if (copyAttributes(like, this.#file, this.#folder.path)) fsyncSync(this.#file)
    } catch (error) {
      fchmodSync(this.#file, 0o600) // It holds customers' data, and will not take the place of the live file.
      throw error
    }
  }

  /**
   * Locks it as the live file is locked, and takes a kernel lease. A program that opens it as soon as it has the name
   * waits for us.
   * @throws {Failure} IN_USE if another program has found it
   */
  seal(): void {
    const locked = tryLock(this.#file, 'write', lockBytes.all)
    const lease = locked === 'granted' ? takeWriteLease(this.#file) : null
    if (lease?.kind !== 'granted')
      throw new Failure('IN_USE', `another program has ${this.#folder.pathOf(this.name)} open`, {
        hint: 'a backup or an indexer may have found the new file: try again',
      })
    this.#leased = true
  }

  /** False once another program has asked for it. */
  get isUnbroken(): boolean {
    return this.#leased && leaseOf(this.#file) === 'write'
  }

  recordOf(what: StagedFileRecord['what']): StagedFileRecord {
    return { what, name: this.name, dev: String(this.identity.dev), ino: String(this.identity.ino) }
  }

  /** Ends lease and lock. Repeatable. */
  [Symbol.dispose](): void {
    if (!this.#open) return
    this.#open = false
    if (this.#leased) releaseLease(this.#file)
    closeSync(this.#file)
  }
}
