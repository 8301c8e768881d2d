/**
 * The outbox: results that the fleet's database does not have yet. It also knows which chunks were begun, which files
 * have a result of a run, and so which attempt comes next. It is a file, so a dead agent loses nothing.
 */

import { join } from 'node:path'
import type Database from 'better-sqlite3'
import { newRunId } from '../../ledger/run-lock/run-id.ts'
import type { TenantId } from '../../model/brand.ts'
import { doneKey } from './done-key.ts'
import { openOutboxFile, outboxFolder, translateOutboxErrors } from './outbox-file.ts'
import type { OutgoingResult, ResultKey } from './outgoing-result.ts'
import { storableText } from './storable-text.ts'

/** A chunk that was begun, by the run on this machine that does its work. */
export interface BegunChunk {
  /** The run on this machine. */
  readonly local: string
  /** The run of the fleet. */
  readonly run: string
  readonly week: string
  readonly chunk: number
  readonly attempt: number
}

interface FileOfRun {
  readonly tenant: string
  readonly path: string
  readonly attempt: number
}

/** A result as it waits. */
export interface WaitingResult {
  readonly sequence: number
  readonly week: string
  readonly body: string
}

export interface OutboxSize {
  readonly rows: number
  readonly bytes: number
}

/** Each attempt leaves room for one more: a result of it may be revised before it ends. */
const attemptStep = 2
/** So long after its beginning, what is known of a run of the fleet is forgotten. */
const keptMs = 30 * 24 * 60 * 60 * 1000

/** Every method throws a {Failure} LEDGER_UNUSABLE if the file cannot be used. */
export class Outbox implements Disposable {
  /** True if the file was made now: what the ledger has may have been sent before, or not. */
  readonly isNew: boolean
  /** A sentence about the file itself; null if there is nothing to say. */
  readonly notice: string | null
  readonly #file: string
  readonly #database: Database.Database
  readonly #sql: ReturnType<typeof statementsOf>

  private constructor(file: string, now: number) {
    this.#file = file
    const { database, isNew, setAside } = openOutboxFile(file)
    this.#database = database
    this.isNew = isNew
    this.notice =
      setAside === null ? null : `the outbox was damaged and is kept as ${setAside}; its results are in the ledger`
    this.#sql = translateOutboxErrors(this.#failureText('read'), () => statementsOf(database))
    this.#forgetRunsBefore(now - keptMs)
    // Perhaps the database takes them now, or this version sends them in another way.
    this.#inTransaction(() => this.#sql.acceptRefused.run())
  }

  /** @param ledgerDir its folder must exist @param now ms since 1970 */
  static open(ledgerDir: string, now: number): Outbox {
    return new Outbox(join(outboxFolder(ledgerDir), 'outbox.db'), now)
  }

  /** Writes down that a chunk begins, before it does. The attempt is higher than all before it in this run. */
  beginChunk(begun: Omit<BegunChunk, 'attempt'>): BegunChunk {
    return this.#inTransaction(() => {
      const chunk = { ...begun, attempt: (this.#sql.lastAttempt.get(begun.run) ?? 1 - attemptStep) + attemptStep }
      this.#sql.begin.run({ ...chunk, open: 1 })
      return chunk
    })
  }

  /**
   * Takes over a chunk that an earlier outbox knew. One that is known stays as it is.
   * @param isOpen whether its process may still write results into the ledger
   */
  adoptChunk(chunk: BegunChunk, isOpen: boolean): void {
    this.#inTransaction(() => this.#sql.begin.run({ ...chunk, open: Number(isOpen) }))
  }

  /** All results of the chunk are in the outbox, or were delivered. */
  endChunk(local: string): void {
    this.#inTransaction(() => this.#sql.end.run(local))
  }

  /** Chunks whose process may have written results into the ledger that are not here. */
  openChunks(): readonly BegunChunk[] {
    return translateOutboxErrors(this.#failureText('read'), () => this.#sql.openChunks.all())
  }

  /** Resolves on the disk. A result that waits here already changes nothing. */
  put(local: string, results: readonly OutgoingResult[]): void {
    this.#inTransaction(() => {
      for (const result of results) {
        const { run, week, tenant, path, attempt } = result
        this.#sql.put.run({ run, week, tenant, path, attempt, local, body: storableText(JSON.stringify(result)) })
        this.#sql.markDone.run({ run, tenant, path, attempt })
      }
    })
  }

  /** The oldest results that may be delivered. */
  next(limit: number): readonly WaitingResult[] {
    return translateOutboxErrors(this.#failureText('read'), () => this.#sql.next.all(limit))
  }

  /** They are stored in the fleet's database. */
  delete(delivered: readonly WaitingResult[]): void {
    this.#inTransaction(() => {
      for (const { sequence } of delivered) this.#sql.delete.run(sequence)
    })
  }

  /** The fleet's database does not take this result as it is. It stays here and keeps no other from being delivered. */
  setRefused({ sequence }: WaitingResult, why: string): void {
    this.#inTransaction(() => this.#sql.refuse.run({ sequence, why: why.slice(0, 1000) }))
  }

  /** The number of the newest result that was put; 0 if none waits. */
  get newest(): number {
    return translateOutboxErrors(this.#failureText('read'), () => this.#sql.newest.get() ?? 0)
  }

  /** True if a result still waits that is not newer than this one. */
  waitsUpTo(sequence: number): boolean {
    return translateOutboxErrors(this.#failureText('read'), () => this.#sql.waitsUpTo.get(sequence) !== undefined)
  }

  /** True if results of the chunk still wait, of whichever attempt. */
  waitsFor({ run, chunk }: Pick<BegunChunk, 'run' | 'chunk'>): boolean {
    return translateOutboxErrors(this.#failureText('read'), () => this.#sql.waits.get(run, chunk) !== undefined)
  }

  /**
   * `done`: each file of the run that has a result, with its newest attempt. `waiting`: the same of results that were
   * not delivered yet. Files are in the form of `doneKey`.
   */
  doneIn(run: string): { readonly done: ReadonlyMap<string, number>; readonly waiting: ReadonlyMap<string, number> } {
    const newest = (rows: readonly FileOfRun[]): ReadonlyMap<string, number> =>
      new Map(rows.map(({ tenant, path, attempt }) => [doneKey(tenant as TenantId, path), attempt]))
    return translateOutboxErrors(this.#failureText('read'), () => ({
      done: newest(this.#sql.done.all(run)),
      waiting: newest(this.#sql.waitingOf.all(run)),
    }))
  }

  /** `bytes`: of the file, without the part that is free. */
  get size(): OutboxSize {
    return translateOutboxErrors(this.#failureText('read'), () => {
      const pragma = (name: string): number => Number(this.#database.pragma(name, { simple: true }))
      const pages = pragma('page_count') - pragma('freelist_count')
      return { rows: this.#sql.count.get() ?? 0, bytes: pages * pragma('page_size') }
    })
  }

  [Symbol.dispose](): void {
    this.#database.close()
  }

  #forgetRunsBefore(ms: number): void {
    const before = newRunId(ms) // Ids of runs sort by time.
    this.#inTransaction(() => {
      this.#sql.forgetChunks.run(before)
      this.#sql.forgetDone.run(before)
    })
  }

  #inTransaction<Value>(work: () => Value): Value {
    return translateOutboxErrors(this.#failureText('write'), () => this.#database.transaction(work).immediate())
  }

  #failureText(what: string): string {
    return `cannot ${what} the outbox ${this.#file}`
  }
}

function statementsOf(database: Database.Database) {
  return {
    lastAttempt: database.prepare<[string], number | null>('select max(attempt) from chunk where run = ?').pluck(),
    begin: database.prepare<BegunChunk & { open: number }>(
      `insert into chunk (local, run, week, chunk, attempt, open) values (@local, @run, @week, @chunk, @attempt, @open)
       on conflict do nothing`,
    ),
    end: database.prepare<[string]>('update chunk set open = 0 where local = ?'),
    openChunks: database.prepare<[], BegunChunk>('select local, run, week, chunk, attempt from chunk where open = 1'),
    put: database.prepare<ResultKey & { week: string; local: string; body: string }>(
      `insert into result (run, week, tenant, path, attempt, local, body)
       values (@run, @week, @tenant, @path, @attempt, @local, @body) on conflict do nothing`,
    ),
    markDone: database.prepare<ResultKey>(
      `insert into done (run, tenant, path, attempt) values (@run, @tenant, @path, @attempt)
       on conflict do update set attempt = max(attempt, excluded.attempt)`,
    ),
    next: database.prepare<[number], WaitingResult>(
      'select sequence, week, body from result where refused is null order by sequence limit ?',
    ),
    delete: database.prepare<[number]>('delete from result where sequence = ?'),
    refuse: database.prepare<{ sequence: number; why: string }>(
      'update result set refused = @why where sequence = @sequence',
    ),
    acceptRefused: database.prepare<[]>('update result set refused = null where refused is not null'),
    newest: database.prepare<[], number | null>('select max(sequence) from result').pluck(),
    waitsUpTo: database.prepare<[number], 1>('select 1 from result where sequence <= ? and refused is null limit 1'),
    waits: database.prepare<[string, number], 1>(
      `select 1 from result join chunk using (local)
       where chunk.run = ? and chunk.chunk = ? and refused is null limit 1`,
    ),
    done: database.prepare<[string], FileOfRun>('select tenant, path, attempt from done where run = ?'),
    waitingOf: database.prepare<[string], FileOfRun>(
      'select tenant, path, max(attempt) as attempt from result where run = ? group by tenant, path',
    ),
    count: database.prepare<[], number>('select count(*) from result').pluck(),
    forgetChunks: database.prepare<[string]>(
      'delete from chunk where run < ? and open = 0 and local not in (select local from result)',
    ),
    forgetDone: database.prepare<[string]>('delete from done where run < ?'),
  }
}
