/** The database of the fleet as another process of this machine has it: each query is one message over its socket. */

import { connect, type Socket } from 'node:net'
import { columnTypes, type ReadColumn } from '../column-types.ts'
import { databaseFailure } from '../database-failure.ts'
import type { QueryAnswer, FleetDatabase } from '../database.ts'
import { queryAnswerOf } from './read-answer.ts'
import { lineOf, readLines, type RawAnswer, type StatementAnswer } from './statement-lines.ts'
import { socketOf } from './statement-server.ts'

/** @throws {Failure} FLEET_PACKAGE_MISSING. It does not connect: the first query does. */
export async function openStatementClient(dir: string, statementMs: number): Promise<FleetDatabase> {
  return new StatementClient(socketOf(dir), statementMs, (await columnTypes()).read)
}

class StatementClient implements FleetDatabase {
  readonly kind = 'pglite'
  readonly #path: string
  readonly #statementMs: number
  readonly #read: ReadColumn
  #connection: Connection | null = null

  constructor(path: string, statementMs: number, read: ReadColumn) {
    this.#path = path
    this.#statementMs = statementMs
    this.#read = read
  }

  async query<Row extends object>(text: string, values: readonly unknown[] = []): Promise<QueryAnswer<Row>> {
    if (this.#connection === null || this.#connection.isClosed) this.#connection = new Connection(this.#path)
    try {
      return queryAnswerOf<Row>(await this.#connection.ask(text, values, this.#statementMs), this.#read)
    } catch (error) {
      const failure = databaseFailure(error, `the database of the fleet (${this.#path})`)
      throw isAbsent(error) ? failure.withHint(nobodyServes) : failure
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#connection?.close()
  }
}

/** There is no socket, or its process is gone. */
const isAbsent = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && ['ENOENT', 'ECONNREFUSED'].includes(String(error.code))

const nobodyServes =
  'no coordinator has this folder open: start `holdfast coordinator` on this machine, as the same user; ' +
  '`holdfast check` and `holdfast sweep` work without it'

interface PendingStatement {
  readonly resolve: (answer: RawAnswer) => void
  readonly reject: (error: Error) => void
}

/** It keeps the process alive only while it waits for an answer. */
class Connection {
  readonly #socket: Socket
  readonly #asked = new Map<number, PendingStatement>()
  #lastId = 0

  constructor(path: string) {
    this.#socket = connect(path)
    let why = new Error('terminated: the process that has the folder open is gone')
    this.#socket
      .on('error', (error) => (why = error))
      .on('end', () => this.#socket.destroy())
      .on('close', () => {
        for (const { reject } of this.#asked.values()) reject(why)
      })
    readLines(this.#socket, (message) => this.#take(message as StatementAnswer))
  }

  get isClosed(): boolean {
    return this.#socket.destroyed
  }

  async ask(text: string, values: readonly unknown[], ms: number): Promise<RawAnswer> {
    this.#lastId += 1
    const id = this.#lastId
    const asked = Promise.withResolvers<RawAnswer>()
    this.#asked.set(id, asked)
    const timer = setTimeout(() => asked.reject(new Error(`timeout: no answer for ${ms / 1000} s`)), ms)
    this.#socket.ref().write(lineOf({ id, text, values }))
    try {
      return await asked.promise
    } finally {
      clearTimeout(timer)
      this.#asked.delete(id)
      if (this.#asked.size === 0) this.#socket.unref()
    }
  }

  close(): void {
    this.#socket.destroy()
  }

  #take(answer: StatementAnswer): void {
    const asked = this.#asked.get(answer.id) // Undefined: the answer came after its time.
    if ('refused' in answer)
      asked?.reject(Object.assign(new Error(answer.refused.message), { code: answer.refused.code }))
    else asked?.resolve(answer)
  }
}
