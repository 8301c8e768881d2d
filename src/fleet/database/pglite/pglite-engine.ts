/**
 * PGlite on a folder, opened by this process alone. Each statement runs by itself. One that leaves a transaction open
 * is rolled back and refused, because the next statement may be that of another process.
 *
 * If PGlite cannot write its log (a quota, or a disk that another program fills), it panics, and each later statement
 * fails. A server would end and start again. Here PGlite is opened again, which replays what is in the log.
 */

import type { PGlite, QueryOptions } from '@electric-sql/pglite'
import { monotonicMs } from '../../../host/clock.ts'
import { loadPglite } from '../optional-packages.ts'
import { lacksRoom } from './disk-space.ts'
import { lockFolder } from './folder-lock.ts'
import { openFolder, prepareParent } from './open-folder.ts'
import type { RawAnswer } from './statement-lines.ts'

export class PgliteEngine implements AsyncDisposable {
  #database: PGlite
  readonly #open: () => Promise<PGlite>
  readonly #asText: QueryOptions
  readonly #lock: Disposable
  readonly #dir: string
  /** Why this database only reads now; null if it does not. */
  #readsOnly: string | null = null
  /** Why PGlite must be opened again, and when; null if it works. */
  #panic: { readonly why: Error; readonly reopenAtMs: number } | null = null
  /** Ends when the statement before the next one has ended. Never rejects. */
  #last: Promise<unknown> = Promise.resolve()

  private constructor(
    database: PGlite,
    open: () => Promise<PGlite>,
    asText: QueryOptions,
    lock: Disposable,
    dir: string,
  ) {
    this.#database = database
    this.#open = open
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
      return new PgliteEngine(database, () => PGlite.create(dir), { rowMode: 'array', parsers: unparsed }, lock, dir)
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
    await this.#recover()
    await this.#keepRoom()
    try {
      return await (values.length > 0 ? this.#one(text, values) : this.#script(text))
    } catch (error) {
      if (isPanic(error)) throw this.#recordPanic(error)
      if (this.#readsOnly === null || codeOf(error) !== readOnlyTransaction) throw error
      throw Object.assign(new Error(this.#readsOnly, { cause: error }), { code: diskFull })
    }
  }

  #recordPanic(cause: unknown): Error {
    const why = Object.assign(new Error('PGlite could not write its log, and must be opened again', { cause }), {
      code: ioError,
    })
    this.#panic = { why, reopenAtMs: monotonicMs() + reopenMs }
    return why
  }

  /** The old instance is left as it is: closing it would write. */
  async #recover(): Promise<void> {
    if (this.#panic === null) return
    const { why, reopenAtMs } = this.#panic
    const lacking = lacksRoom(this.#dir)
    if (lacking !== null) throw Object.assign(new Error(lacking, { cause: why }), { code: diskFull })
    if (monotonicMs() < reopenAtMs) throw why
    try {
      this.#database = await this.#open()
    } catch (error) {
      throw this.#recordPanic(error)
    }
    this.#panic = null
    this.#readsOnly = null
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
      if (!isPanic(error)) await this.#rollBack()
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
    if (this.#panic === null) await this.#database.close()
  }
}

/** States of SQL, as PostgreSQL has them. */
const noTransaction = '25P01'
const readOnlyTransaction = '25006'
const diskFull = '53100'
const ioError = '58030'

/** Opening it again takes some seconds, and cannot help as long as nothing can be written. In ms. */
const reopenMs = 10_000

const isPanic = (error: unknown): boolean => error instanceof Error && 'severity' in error && error.severity === 'PANIC'

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : null)

type ExecResult = Awaited<ReturnType<PGlite['exec']>>

function rawAnswer(given: ExecResult): RawAnswer {
  const parts = given
    .filter(({ rows }) => rows.length > 0)
    .map(({ fields, rows }) => ({
      columns: fields.map(({ name, dataTypeID }) => ({ name, type: dataTypeID })),
      rows: rows as unknown as (string | null)[][],
    }))
  return { parts, changed: given.at(-1)?.affectedRows ?? 0 }
}
