/**
 * PGlite on a folder, opened by this process alone. Each statement runs by itself: one that leaves a transaction open
 * is rolled back and refused, because the next statement may be that of another process.
 */

import type { PGlite, QueryOptions } from '@electric-sql/pglite'
import { loadPglite } from '../optional-packages.ts'
import { lacksRoom } from './disk-space.ts'
import { lockFolder } from './folder-lock.ts'
import { openFolder, prepareParent } from './folder.ts'
import type { RawAnswer } from './statement-lines.ts'

export class PgliteEngine implements AsyncDisposable {
  readonly #database: PGlite
  readonly #asText: QueryOptions
  readonly #lock: Disposable
  readonly #dir: string
  /** Why this database only reads now; null if it does not. */
  #readsOnly: string | null = null
  /** Ends when the statement before the next one has ended. Never rejects. */
  #last: Promise<unknown> = Promise.resolve()

  private constructor(database: PGlite, asText: QueryOptions, lock: Disposable, dir: string) {
    this.#database = database
    this.#asText = asText
    this.#lock = lock
    this.#dir = dir
  }

  /** Makes the folder (0700) if it is missing. @throws {Failure} FLEET_IN_USE, FLEET_PACKAGE_MISSING, CONFIG_INVALID */
  static async open(dir: string): Promise<PgliteEngine> {
    const { PGlite } = await loadPglite()
    await prepareParent(dir)
    const lock = lockFolder(dir)
    try {
      const database = await openFolder((folder) => PGlite.create(folder), dir)
      const unparsed = Object.fromEntries(Object.keys(database.parsers).map((type) => [type, (text: string) => text]))
      return new PgliteEngine(database, { rowMode: 'array', parsers: unparsed }, lock, dir)
    } catch (error) {
      lock[Symbol.dispose]()
      throw error
    }
  }

  /** @throws the error of PGlite, with its SQLSTATE in `code` */
  run(text: string, values: readonly unknown[]): Promise<RawAnswer> {
    const running = this.#last.then(() => this.#run(text, values))
    this.#last = running.catch(() => {})
    return running
  }

  async #run(text: string, values: readonly unknown[]): Promise<RawAnswer> {
    await this.#keepRoom()
    try {
      return await (values.length > 0 ? this.#one(text, values) : this.#script(text))
    } catch (error) {
      if (this.#readsOnly === null || codeOf(error) !== readOnlyTransaction) throw error
      throw Object.assign(new Error(this.#readsOnly, { cause: error }), { code: diskFull })
    }
  }

  async #keepRoom(): Promise<void> {
    const lacking = lacksRoom(this.#dir)
    if ((lacking === null) !== (this.#readsOnly === null))
      await this.#database.exec(`set default_transaction_read_only = ${lacking === null ? 'off' : 'on'}`)
    this.#readsOnly = lacking
  }

  async #one(text: string, values: readonly unknown[]): Promise<RawAnswer> {
    return rawAnswer([await this.#database.query(text, [...values], this.#asText)])
  }

  async #script(text: string): Promise<RawAnswer> {
    const answers = await this.#database.exec(text, this.#asText).catch(async (error: unknown) => {
      await this.#rollBack()
      throw error
    })
    if (/\b(?:begin|start)\b/i.test(text) && (await this.#rollBack()))
      throw Object.assign(new Error('the statement left a transaction open, and was rolled back'), { code: 'HF001' })
    return rawAnswer(answers)
  }

  /** @returns whether a transaction was open */
  async #rollBack(): Promise<boolean> {
    let isOpen = true
    await this.#database.exec('rollback', {
      onNotice: ({ code }) => {
        if (code === noTransaction) isOpen = false
      },
    })
    return isOpen
  }

  async [Symbol.asyncDispose](): Promise<void> {
    using _lock = this.#lock
    await this.#last
    await this.#database.close()
  }
}

/** States of SQL, as PostgreSQL has them. */
const noTransaction = '25P01'
const readOnlyTransaction = '25006'
const diskFull = '53100'

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : null)

type Given = Awaited<ReturnType<PGlite['exec']>>

function rawAnswer(given: Given): RawAnswer {
  const parts = given
    .filter(({ rows }) => rows.length > 0)
    .map(({ fields, rows }) => ({
      columns: fields.map(({ name, dataTypeID }) => ({ name, type: dataTypeID })),
      rows: rows as unknown as (string | null)[][],
    }))
  return { parts, changed: given.at(-1)?.affectedRows ?? 0 }
}
