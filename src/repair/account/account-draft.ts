/**
 * The account of a change (account.schema.json) while it is made, and its publication. The keys of millions of rows go
 * through it, so they wait in files without names, and memory does not grow with them.
 */
import { constants, existsSync, fsync, openSync, renameSync, unlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { systemFailure } from '../../host/failures/system-failure.ts'
import { syncFolder } from '../../host/files/durable.ts'
import { onDisk } from '../../host/files/file-name.ts'
import { openUnnamedFile } from '../../host/files/unnamed-file.ts'
import { makeFolders } from '../../host/folders/folder.ts'
import { invariant } from '../../model/bug.ts'
import { Failure } from '../../model/failure.ts'
import type {
  AccountedKind,
  AccountSummary,
  DroppedEntry,
  LostRange,
  TableSummary,
} from '../../model/result/account.ts'
import type { RowKey } from '../../model/result/finding.ts'
import { BufferedFile } from './buffered-file.ts'
import { OpenTable } from './open-table.ts'
import type { TableTotals } from './open-table.ts'

/** Where an account is published. */
export interface AccountLocation {
  /** Made with its parents (0700) if it does not exist. */
  readonly folder: string
  /** Of the file in it. There must be no such file. */
  readonly name: string
  /** Where it is written before it gets its name: on the same file system. Default: `folder`. */
  readonly draftIn?: string
}

/**
 * Named as files of a change are. If a run is killed while it writes one beside the file that it changes, the next run
 * deletes the draft with the others (hold/change/steps/live-folder.ts).
 */
const nameOfDraft = (change: string): string => `.holdfast-${change}-0-account`

export class AccountDraft implements Disposable {
  readonly #scratch: string
  readonly #tables: BufferedFile
  readonly #dropped: BufferedFile
  readonly #sums: TableSummary[] = []
  #droppedTotal = 0
  #table: OpenTable | null = null

  /** @param scratch a private folder of ours @throws {Failure} NO_SPACE and others */
  constructor(scratch: string) {
    this.#scratch = scratch
    this.#tables = this.#spool()
    try {
      this.#dropped = this.#spool()
    } catch (error) {
      this.#tables[Symbol.dispose]()
      throw error
    }
  }

  /** The sums and first keys of the tables that have ended. */
  get summary(): AccountSummary {
    return { tables: this.#sums, dropped: this.#droppedTotal }
  }

  /** All calls until `endTable` are about this table. */
  beginTable(table: string): void {
    invariant(this.#table === null, 'one table is accounted for at a time')
    this.#table = new OpenTable(table, () => this.#spool())
  }

  /** In the order in which the account lists them. @throws {Failure} NO_SPACE and others */
  addKeys(kind: AccountedKind, keys: readonly RowKey[]): void {
    this.#write(() => this.#open().keys[kind].add(keys))
  }

  /** Numbers of pages of the table that could not be read. */
  addPages(pages: readonly number[]): void {
    this.#write(() => this.#open().pages.add(pages))
  }

  /** In the order of keys. */
  addLostRanges(ranges: readonly LostRange[]): void {
    this.#write(() => this.#open().lostRanges.add(ranges))
  }

  /** @throws {Bug} if kept + added + conflicting + deleted + unreadable is not the union */
  endTable(totals: TableTotals): void {
    const table = this.#open()
    table.verify(totals)
    this.#write(() => {
      if (this.#sums.length > 0) this.#tables.write(',')
      table.writeTo(this.#tables, totals)
    })
    this.#sums.push(table.summary(totals.kept))
    table[Symbol.dispose]()
    this.#table = null
  }

  /** An entry that a rebuild drops. Its values may have no other copy. */
  addDropped(entry: DroppedEntry): void {
    const comma = this.#droppedTotal++ === 0 ? '' : ','
    this.#write(() => this.#dropped.write(comma + JSON.stringify(entry)))
  }

  /**
   * Writes the account (0600). It has its name only when all of it is on the disk. May be called again, for another
   * place.
   * @returns its path @throws {Failure} NOT_A_FILE if there is a file of this name; NO_SPACE, NO_PERMISSION and others
   */
  async publish(change: string, { folder, name, draftIn = folder }: AccountLocation): Promise<string> {
    invariant(this.#table === null, 'an account is published after its last table')
    const path = join(folder, name)
    try {
      const [made] = await makeFolders(folder, 0o700)
      if (made !== undefined) await syncFolder(dirname(made))
      if (existsSync(onDisk(path))) throw new Failure('NOT_A_FILE', `there is a file already: ${path}`)
      await this.#writeTo(join(draftIn, nameOfDraft(change)), change, path)
      await syncFolder(folder)
      return path
    } catch (error) {
      throw failureOf(error, path)
    }
  }

  async #writeTo(draft: string, change: string, path: string): Promise<void> {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
    using document = new BufferedFile(openSync(onDisk(draft), flags, 0o600))
    try {
      document.write(`{"schema":"holdfast.account/1","change":${JSON.stringify(change)},"tables":[`)
      this.#tables.copyTo(document)
      document.write(']')
      if (this.#droppedTotal > 0) {
        document.write(',"dropped":[')
        this.#dropped.copyTo(document)
        document.write(']')
      }
      document.write('}\n')
      document.flush()
      await promisify(fsync)(document.descriptor)
      renameSync(onDisk(draft), onDisk(path))
    } catch (error) {
      unlinkSync(onDisk(draft))
      throw error
    }
  }

  [Symbol.dispose](): void {
    this.#table?.[Symbol.dispose]()
    this.#tables[Symbol.dispose]()
    this.#dropped[Symbol.dispose]()
  }

  #open(): OpenTable {
    invariant(this.#table !== null, 'a table is begun before its rows are accounted for')
    return this.#table
  }

  #spool(): BufferedFile {
    try {
      return new BufferedFile(openUnnamedFile(this.#scratch))
    } catch (error) {
      throw failureOf(error, this.#scratch)
    }
  }

  #write(work: () => void): void {
    try {
      work()
    } catch (error) {
      throw failureOf(error, this.#scratch)
    }
  }
}

const failureOf = (error: unknown, path: string): unknown =>
  systemFailure(error, { doing: 'write the account', path, elsewhere: 'name another folder in accounts.dir' })
