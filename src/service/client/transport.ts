/** One request, one answer, one deadline. What was heard is a value: whether silence is a failure, those who ask decide. */
import { readFile } from 'node:fs/promises'
import { Agent, type Dispatcher } from 'undici'
import type { ServiceSettings } from '../../config/settings.ts'
import { startDeadline } from '../../host/clock.ts'
import { Failure } from '../../model/failure.ts'
import { readToken } from './token.ts'

export type AdminSettings = Extract<ServiceSettings, { kind: 'admin-api' }>

export interface Request {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Below /admin/v1, already percent-encoded. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: object | null
  readonly timeoutMs: number
  readonly answerBytesMax: number
}

export interface Answer {
  readonly kind: 'answer'
  readonly status: number
  readonly retryAfter: string | null
  readonly date: string | null
  /** undefined when the body is not JSON. */
  readonly json: unknown
}

export type Heard =
  | Answer
  /** No connection: the service has not seen the request. */
  | { readonly kind: 'unreachable'; readonly cause: Error }
  /** The request may have taken effect, and no answer came. */
  | { readonly kind: 'lost'; readonly how: 'connection' | 'deadline'; readonly cause: Error }
  | { readonly kind: 'too-large'; readonly status: number }

export class Transport implements AsyncDisposable {
  readonly #settings: AdminSettings
  readonly #agent: Agent
  readonly #origin: string
  readonly #prefix: string
  #token: string | null

  private constructor(settings: AdminSettings, agent: Agent, token: string | null) {
    const url = settings.endpoint.kind === 'https' ? new URL(settings.endpoint.url) : new URL('http://localhost')
    this.#settings = settings
    this.#agent = agent
    this.#origin = url.origin
    this.#prefix = url.pathname.replace(/\/+$/, '')
    this.#token = token
  }

  /** Reads token and certificates; connects to nobody yet. */
  static async open(settings: AdminSettings): Promise<Transport> {
    const token = settings.tokenFile === null ? null : await readToken(settings.tokenFile)
    const timeout = settings.requestTimeoutMs
    const connect = settings.endpoint.kind === 'unix'
      ? { socketPath: settings.endpoint.socket, timeout }
      : { timeout, ...(settings.caFile === null ? {} : { ca: await readCertificates(settings.caFile) }) }
    // Deadlines are ours, one for the whole request; those of the agent would cut a drain short.
    return new Transport(settings, new Agent({ connect, headersTimeout: 0, bodyTimeout: 0, connections: 16 }), token)
  }

  get timeoutMs(): number {
    return this.#settings.requestTimeoutMs
  }

  get address(): string {
    return this.#settings.endpoint.kind === 'unix' ? `unix:${this.#settings.endpoint.socket}` : this.#settings.endpoint.url
  }

  /** Takes up a token that was changed. False when there is none to take up. */
  async reloadToken(): Promise<boolean> {
    if (this.#settings.tokenFile === null) return false
    this.#token = await readToken(this.#settings.tokenFile)
    return true
  }

  /** Rejects only when `signal` is aborted, with its reason. */
  async ask(request: Request, signal: AbortSignal): Promise<Heard> {
    signal.throwIfAborted()
    using deadline = startDeadline(request.timeoutMs)
    try {
      const response = await this.#agent.request({
        origin: this.#origin, path: `${this.#prefix}/admin/v1${request.path}`, method: request.method, signal: AbortSignal.any([signal, deadline.signal]),
        headers: this.#headers(request), body: request.body === null ? null : JSON.stringify(request.body),
      })
      return await read(response, request.answerBytesMax)
    } catch (thrown) {
      signal.throwIfAborted()
      const cause = thrown as Error
      if (deadline.signal.aborted) return { kind: 'lost', how: 'deadline', cause }
      return neverConnected(cause) ? { kind: 'unreachable', cause } : { kind: 'lost', how: 'connection', cause }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy()
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

async function readCertificates(file: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (error) {
    throw new Failure('CONFIG_INVALID', `the certificates in service.caFile ${file} cannot be read (${(error as NodeJS.ErrnoException).code})`, { cause: error })
  }
}

async function read(response: Dispatcher.ResponseData, bytesMax: number): Promise<Heard> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response.body as AsyncIterable<Buffer>) {
    bytes += chunk.length
    // Leaving the loop destroys the body and with it the connection: nobody reads on for ever.
    if (bytes > bytesMax) return { kind: 'too-large', status: response.statusCode }
    chunks.push(chunk)
  }
  return { kind: 'answer', status: response.statusCode, retryAfter: single(response.headers['retry-after']), date: single(response.headers['date']), json: parse(Buffer.concat(chunks).toString('utf8')) }
}

const single = (header: string | string[] | undefined): string | null => (typeof header === 'string' ? header : null)

function parse(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

const beforeConnection = new Set(['ECONNREFUSED', 'ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL', 'ENOTSOCK', 'EPROTOTYPE', 'EINVAL', 'ENAMETOOLONG', 'UND_ERR_CONNECT_TIMEOUT'])

/** Certificate troubles come before anything is sent as well. */
function neverConnected(error: Error): boolean {
  const code = (error as NodeJS.ErrnoException).code ?? ''
  return beforeConnection.has(code) || /^(ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH)/.test(code)
}
