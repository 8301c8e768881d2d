/** PostgreSQL by the package pg: a pool of two connections, and a limit for each wait. */

import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Pool, PoolConfig, QueryResult } from 'pg'
import type { FleetAddress, FleetSettings } from '../../config/fleet/fleet-settings.ts'
import { readAuthorities } from '../../service/client/authorities.ts'
import { readToken } from '../../service/client/token.ts'
import { columnTypes } from './column-types.ts'
import { databaseFailure } from './database-failure.ts'
import type { QueryAnswer, FleetDatabase } from './database.ts'
import { loadPg } from './optional-packages.ts'

type PostgresAddress = Extract<FleetAddress, { kind: 'postgres' }>
type Access = Pick<FleetSettings, 'passwordFile' | 'caFile'>

const connectionsMax = 2
const connectMsMax = 10_000
export const statementMsMax = 10_000
/** So long a connection may take to end in an orderly way. */
const endMsMax = 2_000

/** @throws {Failure} FLEET_PACKAGE_MISSING. It does not connect: the first query does. */
export async function openPostgres(
  address: PostgresAddress,
  access: Access,
  statementMs: number = statementMsMax,
): Promise<FleetDatabase> {
  const { Pool } = (await loadPg()).default
  const { parserOf } = await columnTypes()
  const sockets = new Set<Socket>()
  const pool = new Pool({
    ...(await postgresConnection(address, access)),
    max: connectionsMax,
    query_timeout: statementMs,
    connectionTimeoutMillis: Math.min(connectMsMax, statementMs),
    types: { getTypeParser: parserOf as never },
    stream: () => rememberedSocket(sockets),
  })
  pool.on('error', () => {}) // A connection that ends while it is idle: the next query opens another.
  return new Postgres(pool, sockets, nameOf(address))
}

/** How to connect, for pg and for what is built on pg. @throws {Failure} CONFIG_INVALID, NO_PERMISSION */
export async function postgresConnection(
  address: PostgresAddress,
  { passwordFile, caFile }: Access,
): Promise<PoolConfig> {
  const { host, port, user, database } = address
  const ca = caFile === null ? null : await readAuthorities(caFile, 'fleet.caFile')
  return {
    host,
    port,
    database,
    ...(user === null ? {} : { user }),
    // Read for each connection, so that a changed password needs no restart.
    ...(passwordFile === null ? {} : { password: () => readToken(passwordFile, passwordNamed) }),
    ssl: isOnThisMachine(host) && ca === null ? false : { rejectUnauthorized: true, ...(ca === null ? {} : { ca }) },
    connectionTimeoutMillis: connectMsMax,
    query_timeout: statementMsMax,
    keepAlive: true,
    application_name: 'holdfast',
  }
}

const passwordNamed = { what: 'the password file', setting: 'fleet.passwordFile' }

const isOnThisMachine = (host: string): boolean =>
  host.startsWith('/') || ['localhost', '127.0.0.1', '::1'].includes(host)

/** For messages: nothing of it is secret. */
const nameOf = ({ host, port, database }: PostgresAddress): string =>
  `the database of the fleet (postgres://${host.startsWith('/') ? '' : `${host}:${port}`}/${database}` +
  `${host.startsWith('/') ? `?host=${host}` : ''})`

function rememberedSocket(sockets: Set<Socket>): Duplex {
  const socket = new Socket()
  sockets.add(socket)
  return socket.once('close', () => sockets.delete(socket))
}

class Postgres implements FleetDatabase {
  readonly kind = 'postgres'
  readonly #pool: Pool
  readonly #sockets: ReadonlySet<Socket>
  readonly #name: string
  /** Rejects for what still waits when this is disposed of. */
  readonly #closed = Promise.withResolvers<never>()

  constructor(pool: Pool, sockets: ReadonlySet<Socket>, name: string) {
    this.#pool = pool
    this.#sockets = sockets
    this.#name = name
    this.#closed.promise.catch(() => {})
  }

  async query<Row extends object>(text: string, values: readonly unknown[] = []): Promise<QueryAnswer<Row>> {
    try {
      const asked = values.length === 0 ? this.#pool.query(text) : this.#pool.query(text, [...values])
      const answer: QueryResult | QueryResult[] = await Promise.race([asked, this.#closed.promise])
      const all = Array.isArray(answer) ? answer : [answer]
      const rows = all.flatMap((one) => one.rows as Row[])
      return { rows, rowCount: rows.length > 0 ? rows.length : (all.at(-1)?.rowCount ?? 0) }
    } catch (error) {
      throw databaseFailure(error, this.#name)
    }
  }

  /** A peer that hangs does not keep this process: its connection is cut. */
  async [Symbol.asyncDispose](): Promise<void> {
    const cut = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy()
    }, endMsMax)
    try {
      await this.#pool.end()
    } finally {
      clearTimeout(cut)
      this.#closed.reject(new Error('terminated: the connection was closed on this side'))
    }
  }
}
