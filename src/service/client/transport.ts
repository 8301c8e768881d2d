/** Sends one request within one deadline. A missing answer is a value; the caller decides whether it is a failure. */
import { request as startRequest, type ClientRequest } from 'node:http'
import type { Socket } from 'node:net'
import type { AdminSettings } from '../../config/settings.ts'
import { startDeadline } from '../../host/clock.ts'
import { closeConnections, openConnections, type Connections } from './connections.ts'
import { answerTo, headerBytesMax, type HttpAnswer, type TooLarge } from './exchange.ts'
import { readToken } from './token.ts'

export type { HttpAnswer }

export interface Request {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Below /admin/v1, already percent-encoded. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: object | null
  readonly timeoutMs: number
  readonly answerBytesMax: number
}

export type Reply =
  | HttpAnswer
  | TooLarge
  /** There was no connection, so the service has not seen the request. */
  | { readonly kind: 'unreachable'; readonly cause: Error }
  /** The request may have taken effect, and no answer came. */
  | { readonly kind: 'lost'; readonly how: 'connection' | 'deadline'; readonly cause: Error }

export class Transport implements AsyncDisposable {
  readonly #settings: AdminSettings
  readonly #connections: Connections
  /** Aborts when this transport is disposed. */
  readonly #closing = new AbortController()
  #token: string | null

  private constructor(settings: AdminSettings, connections: Connections, token: string | null) {
    this.#settings = settings
    this.#connections = connections
    this.#token = token
  }

  /** Reads the token and the certificates. Connects only when a request is made. */
  static async open(settings: AdminSettings): Promise<Transport> {
    const token = settings.tokenFile === null ? null : await readToken(settings.tokenFile)
    return new Transport(settings, await openConnections(settings), token)
  }

  get timeoutMs(): number {
    return this.#settings.requestTimeoutMs
  }

  get address(): string {
    return this.#settings.endpoint.kind === 'unix'
      ? `unix:${this.#settings.endpoint.socket}`
      : this.#settings.endpoint.url
  }

  /** Reads the token file again. False if none is configured. */
  async reloadToken(): Promise<boolean> {
    if (this.#settings.tokenFile === null) return false
    this.#token = await readToken(this.#settings.tokenFile)
    return true
  }

  /** Rejects only when `signal` is aborted, with its reason. */
  async send(request: Request, signal: AbortSignal): Promise<Reply> {
    signal.throwIfAborted()
    using deadline = startDeadline(request.timeoutMs)
    const ends = [signal, deadline.signal, this.#closing.signal]
    const ended = Promise.withResolvers<never>()
    const end = (): void => ended.reject(ends.find(({ aborted }) => aborted)?.reason as Error)
    for (const one of ends) one.addEventListener('abort', end)
    let sent: ClientRequest | null = null
    try {
      this.#closing.signal.throwIfAborted()
      sent = this.#send(request)
      return await Promise.race([answerTo(sent, request.answerBytesMax), ended.promise])
    } catch (thrown) {
      sent?.destroy()
      signal.throwIfAborted()
      const cause = thrown as Error
      // The deadline's error says how long we waited.
      if (deadline.signal.aborted) return { kind: 'lost', how: 'deadline', cause: deadline.signal.reason as Error }
      return neverConnected(cause) ? { kind: 'unreachable', cause } : { kind: 'lost', how: 'connection', cause }
    } finally {
      for (const one of ends) one.removeEventListener('abort', end)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error('the connections to the service are closed'))
    closeConnections(this.#connections)
  }

  #send(request: Request): ClientRequest {
    const { agent, target, prefix } = this.#connections
    const { method, path, body } = request
    const headers = this.#headers(request)
    const options = {
      ...target,
      agent,
      method,
      path: `${prefix}/admin/v1${path}`,
      headers,
      maxHeaderSize: headerBytesMax,
    }
    const sent = startRequest(options)
    sent.on('socket', (socket) => {
      if (socket.connecting) boundConnecting(sent, socket, target.protocol === 'https:', this.timeoutMs)
    })
    sent.end(body === null ? undefined : JSON.stringify(body))
    return sent
  }

  #headers(request: Request): Record<string, string> {
    return {
      accept: 'application/json, application/problem+json',
      ...(request.body === null ? {} : { 'content-type': 'application/json' }),
      ...(this.#token === null ? {} : { authorization: `Bearer ${this.#token}` }),
      ...request.headers,
    }
  }
}

/** A request that drains a tenant may take long. To connect, it has only the usual time of a call. */
function boundConnecting(request: ClientRequest, socket: Socket, isTls: boolean, ms: number): void {
  const timer = setTimeout(() => {
    request.destroy(Object.assign(new Error(`no connection within ${ms} ms`), { code: connectTimeout }))
  }, ms)
  timer.unref()
  const stop = (): void => clearTimeout(timer)
  socket.once(isTls ? 'secureConnect' : 'connect', stop).once('close', stop)
}

const connectTimeout = 'CONNECT_TIMEOUT'

const beforeConnection = new Set([
  'ECONNREFUSED',
  'ENOENT',
  'ENOTDIR',
  'EACCES',
  'EPERM',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'ENOTSOCK',
  'EPROTOTYPE',
  'EINVAL',
  'ENAMETOOLONG',
  connectTimeout,
])

/** A refused certificate also comes before anything is sent. */
function neverConnected(error: Error): boolean {
  const code = (error as NodeJS.ErrnoException).code ?? ''
  return (
    beforeConnection.has(code) ||
    /^(ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH)/.test(code)
  )
}
