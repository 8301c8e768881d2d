/** Real gates on real sockets with real databases, and a plain client that holds every answer against the contract. */
import { mkdtempSync, rmSync } from 'node:fs'
import { request as httpRequest, type IncomingHttpHeaders, type RequestOptions, type Server } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect } from 'vitest'
import { createGate, type Gate, type GateOptions } from '../../../src/service/gate/index.ts'
import { misfits, templateOf } from './contract.ts'

/** Fields of an answer that the contract check has already looked at. */
interface Json {
  readonly leaseId: string
  readonly fence: number
  readonly bootId: string
  readonly expiresInMs: number
  readonly heldMs: number
  readonly [field: string]: unknown
}

export interface GateResponse {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly json: Json
}

export interface GateRequest {
  readonly headers?: Record<string, string>
  readonly body?: unknown
  /** A body that is sent as it stands. */
  readonly raw?: string
  /** Sends no length ahead. */
  readonly chunked?: boolean
}

/** A request as curl would send it. Its answer must fit the contract, whatever it is. */
export async function call(
  where: RequestOptions & { readonly tls?: boolean },
  method: string,
  path: string,
  sent: GateRequest = {},
): Promise<GateResponse> {
  const heard = await exchange(where, method, path, sent)
  if (templateOf(path) !== null && heard.status !== 405) expect(misfits(method, path, heard)).toEqual([])
  return heard
}

export function exchange(
  { tls = false, ...where }: RequestOptions & { readonly tls?: boolean },
  method: string,
  path: string,
  { headers = {}, body, raw, chunked = false }: GateRequest,
): Promise<GateResponse> {
  const payload = raw ?? (body === undefined ? undefined : JSON.stringify(body))
  return new Promise((resolve, reject) => {
    const request = (tls ? httpsRequest : httpRequest)(
      {
        ...where,
        method,
        path: `/admin/v1${path}`,
        agent: false,
        headers: {
          ...(payload === undefined
            ? {}
            : {
                'content-type': 'application/json',
                ...(chunked
                  ? { 'transfer-encoding': 'chunked' }
                  : { 'content-length': String(Buffer.byteLength(payload)) }),
              }),
          ...headers,
        },
      },
      (response) => {
        let text = ''
        response.on('data', (chunk) => {
          text += String(chunk)
        })
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            json: JSON.parse(text || 'null') as Json,
          }),
        )
        response.on('error', reject)
      },
    )
    request.on('error', reject)
    request.end(payload)
  })
}

export interface TestGate extends AsyncDisposable {
  readonly gate: Gate
  readonly server: Server
  readonly dir: string
  readonly socket: string
  /** What the gate asked the service to do, in order. */
  readonly actions: string[]
  readonly databases: Map<string, Database.Database>
  fileOf(id: string): string
  call(method: string, path: string, sent?: GateRequest): Promise<GateResponse>
  quiesce(id: string, body?: object, key?: string): Promise<GateResponse>
}

let keys = 0
export const terms = { holder: 'hold-1', reason: 'test', ttlMs: 5_000, maxHoldMs: 10_000, drainTimeoutMs: 500 }

/** A service with two WAL databases, open, behind a gate on a unix socket. */
export async function openTestGate(
  options: Partial<GateOptions> = {},
  ids: readonly string[] = ['acme', 'bolt'],
): Promise<TestGate> {
  const dir = mkdtempSync(join(tmpdir(), 'gate-'))
  const fileOf = (id: string): string => join(dir, `${encodeURIComponent(id).replaceAll('.', '%2E')}.db`)
  const databases = new Map<string, Database.Database>()
  const open = (id: string): void => {
    if (databases.has(id)) return
    const database = new Database(fileOf(id), { timeout: 0 })
    database.pragma('journal_mode = wal')
    database.exec('create table if not exists t (x)')
    databases.set(id, database)
  }
  for (const id of ids) open(id)
  const actions: string[] = []
  const gate = createGate({
    service: 'test',
    version: '1',
    sqliteVersion: '3.54.1',
    tenants: () => ids.map((id) => ({ id, files: [{ path: fileOf(id), journalMode: 'wal' }] })),
    ...options,
    close: async (id, signal) => {
      actions.push(`close ${id}`)
      const said = await options.close?.(id, signal)
      databases.get(id)?.close()
      databases.delete(id)
      return said
    },
    open: async (id) => {
      actions.push(`open ${id}`)
      await options.open?.(id)
      open(id)
    },
  })
  const socket = join(dir, 'admin.sock')
  const server = await gate.listen(socket)
  const send = (method: string, path: string, sent?: GateRequest): Promise<GateResponse> =>
    call({ socketPath: socket }, method, path, sent)
  return {
    gate,
    server,
    dir,
    socket,
    actions,
    databases,
    fileOf,
    call: send,
    quiesce: (id, body = {}, key = `key-${++keys}`) =>
      send('POST', `/tenants/${encodeURIComponent(id)}/quiesce`, {
        body: { ...terms, ...body },
        headers: { 'idempotency-key': key },
      }),
    async [Symbol.asyncDispose]() {
      await gate[Symbol.asyncDispose]()
      server.close()
      server.closeAllConnections()
      for (const database of databases.values()) database.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** Waits for a condition, with a deadline. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  deadlineMs = 30_000,
): Promise<void> {
  const end = performance.now() + deadlineMs
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

export const problemName = (heard: GateResponse): string => String(heard.json['type']).split(/[/:#]/).at(-1) ?? ''
