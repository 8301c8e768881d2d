/**
 * One request, one answer, one deadline. What was heard is a value: whether silence is a failure, those who ask decide.
 */
import type { Dispatcher } from 'undici'
// Not all of the library: to load that took twice as long, of each run's start.
import Pool from 'undici/lib/dispatcher/pool.js'
import type { ServiceSettings } from '../../config/settings.ts'
import { startDeadline } from '../../host/clock.ts'
import { systemFailure } from '../../host/failures/system-failure.ts'
import { readSmallFile } from '../../host/files/small-file.ts'
import { Failure } from '../../model/failure.ts'
import { readToken } from './token.ts'
import { requireTrustedFile } from './trusted-file.ts'

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

export interface HttpAnswer {
  readonly kind: 'answer'
  readonly status: number
  readonly retryAfter: string | null
  readonly date: string | null
  readonly contentType: string | null
  /** The scheme that a 401 asks for. */
  readonly challenge: string | null
  /** undefined when the body is not JSON. */
  readonly json: unknown
  /** Of the body. */
  readonly bytes: number
}

interface TooLarge {
  readonly kind: 'too-large'
  /** Names the bound. */
  readonly why: string
}

export type Heard =
  | HttpAnswer
  | TooLarge
  /** No connection: the service has not seen the request. */
  | { readonly kind: 'unreachable'; readonly cause: Error }
  /** The request may have taken effect, and no answer came. */
  | { readonly kind: 'lost'; readonly how: 'connection' | 'deadline'; readonly cause: Error }

export class Transport implements AsyncDisposable {
  readonly #settings: AdminSettings
  readonly #pool: Pool
  readonly #prefix: string
  #token: string | null

  private constructor(settings: AdminSettings, pool: Pool, prefix: string, token: string | null) {
    this.#settings = settings
    this.#pool = pool
    this.#prefix = prefix
    this.#token = token
  }

  /** Reads token and certificates; connects to nobody yet. */
  static async open(settings: AdminSettings): Promise<Transport> {
    const token = settings.tokenFile === null ? null : await readToken(settings.tokenFile)
    const timeout = settings.requestTimeoutMs
    const connect =
      settings.endpoint.kind === 'unix'
        ? { socketPath: settings.endpoint.socket, timeout }
        : { timeout, ...(settings.caFile === null ? {} : { ca: await readCertificates(settings.caFile) }) }
    const url = settings.endpoint.kind === 'https' ? new URL(settings.endpoint.url) : new URL('http://localhost')
    // Deadlines are ours, one for the whole request; those of the pool would cut a drain short.
    const pool = new Pool(url.origin, {
      connect,
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: headerBytesMax,
      connections: 16,
    })
    return new Transport(settings, pool, url.pathname.replace(/\/+$/, ''), token)
  }

  get timeoutMs(): number {
    return this.#settings.requestTimeoutMs
  }

  get address(): string {
    return this.#settings.endpoint.kind === 'unix'
      ? `unix:${this.#settings.endpoint.socket}`
      : this.#settings.endpoint.url
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
    const exchange = new Exchange(request.answerBytesMax)
    const abort = (): void => exchange.abort((signal.aborted ? signal : deadline.signal).reason as Error)
    signal.addEventListener('abort', abort)
    deadline.signal.addEventListener('abort', abort)
    try {
      const { method, body } = request
      this.#pool.dispatch(
        {
          path: `${this.#prefix}/admin/v1${request.path}`,
          method,
          headers: this.#headers(request),
          body: body === null ? null : JSON.stringify(body),
        },
        exchange,
      )
      return await exchange.heard
    } catch (thrown) {
      signal.throwIfAborted()
      const cause = thrown as Error
      // It says how long we waited.
      if (deadline.signal.aborted) return { kind: 'lost', how: 'deadline', cause: deadline.signal.reason as Error }
      return neverConnected(cause) ? { kind: 'unreachable', cause } : { kind: 'lost', how: 'connection', cause }
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.destroy()
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
  requireTrustedFile(file, 'the file of service.caFile')
  const refused = (why: string): Failure =>
    new Failure('CONFIG_INVALID', `the certificates in service.caFile ${file} cannot be read (${why})`)
  const read = await readSmallFile(file, certificateBytesMax, 'follow').catch((error: unknown) => {
    const doing = 'read the certificates in service.caFile'
    throw systemFailure(error, { doing, path: file, pathCode: 'CONFIG_INVALID' })
  })
  if (read.kind !== 'read')
    throw refused(
      read.kind === 'too-large' ? `it has more than ${certificateBytesMax} bytes` : 'it is not a regular file',
    )
  return read.bytes
}

const headerBytesMax = 16_384

/** Enough for all authorities that a system knows, several times over. */
const certificateBytesMax = 4_000_000

type Headers = Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseStart']>>[2]

/**
 * Listens to the answer of one request as it comes. Through a stream for each body, the four requests of a hold took
 * about a millisecond more.
 */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #bytesMax: number
  readonly #settled = Promise.withResolvers<HttpAnswer | TooLarge>()
  #controller: Dispatcher.DispatchController | null = null
  #abortedFor: Error | null = null
  #status = 0
  #headers: Headers = {}
  #chunks: Buffer[] = []
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Rejects when there is no whole answer. */
  get heard(): Promise<HttpAnswer | TooLarge> {
    return this.#settled.promise
  }

  /** Whether it was sent already or not. */
  abort(reason: Error): void {
    this.#abortedFor = reason
    this.#controller?.abort(reason)
    this.#settled.reject(reason)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#abortedFor) controller.abort(this.#abortedFor)
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: Headers): void {
    this.#status = status
    this.#headers = headers
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length
    this.#chunks.push(chunk)
    if (this.#bytes <= this.#bytesMax) return
    const why = `it is longer than ${this.#bytesMax} bytes`
    this.#chunks = []
    this.#settled.resolve({ kind: 'too-large', why })
    // Ends the connection: nobody reads on for ever.
    controller.abort(new Error(why))
  }

  onResponseEnd(): void {
    const json = parse(Buffer.concat(this.#chunks).toString('utf8'))
    const header = (name: string): string | null => single(this.#headers[name])
    this.#settled.resolve({
      kind: 'answer',
      status: this.#status,
      json,
      bytes: this.#bytes,
      retryAfter: header('retry-after'),
      date: header('date'),
      contentType: header('content-type'),
      challenge: header('www-authenticate'),
    })
  }

  onResponseError(_: Dispatcher.DispatchController | null, error: Error): void {
    if ((error as NodeJS.ErrnoException).code !== 'UND_ERR_HEADERS_OVERFLOW') return this.#settled.reject(error)
    this.#settled.resolve({ kind: 'too-large', why: `its headers are longer than ${headerBytesMax} bytes` })
  }
}

const single = (header: string | string[] | undefined): string | null => (typeof header === 'string' ? header : null)

function parse(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

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
  'UND_ERR_CONNECT_TIMEOUT',
])

/** Certificate troubles come before anything is sent as well. */
function neverConnected(error: Error): boolean {
  const code = (error as NodeJS.ErrnoException).code ?? ''
  return (
    beforeConnection.has(code) ||
    /^(ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH)/.test(code)
  )
}
