/** The answer to one HTTP request, read up to a bound. */
import type { ClientRequest, IncomingMessage } from 'node:http'

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
  /** Length of the body. */
  readonly bytes: number
}

export interface TooLarge {
  readonly kind: 'too-large'
  /** Names the bound. */
  readonly why: string
}

export const headerBytesMax = 16_384

/** Settles when the answer is whole, or too large. Rejects when the connection ends before that. */
export function answerTo(request: ClientRequest, bodyBytesMax: number): Promise<HttpAnswer | TooLarge> {
  return new Promise((resolve, reject) => {
    let isAnswered = false
    request.on('response', (response) => {
      isAnswered = true
      readBody(response, bodyBytesMax).then(resolve, reject)
    })
    request.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'HPE_HEADER_OVERFLOW') return reject(error)
      resolve({ kind: 'too-large', why: `its headers are longer than ${headerBytesMax} bytes` })
    })
    // Node reports no error if the service answers with a change of the protocol.
    request.on('close', () => {
      if (!isAnswered) reject(earlyEndError())
    })
  })
}

function readBody(response: IncomingMessage, bytesMax: number): Promise<HttpAnswer | TooLarge> {
  return new Promise((resolve, reject) => {
    let chunks: Buffer[] = []
    let bytes = 0
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= bytesMax) return void chunks.push(chunk)
      chunks = []
      resolve({ kind: 'too-large', why: `it is longer than ${bytesMax} bytes` })
      response.destroy() // Closes the connection too: the body may have no end.
    })
    response.on('end', () => resolve(answerOf(response, Buffer.concat(chunks))))
    response.on('error', reject)
    response.on('close', () => reject(earlyEndError()))
  })
}

function answerOf(response: IncomingMessage, body: Buffer): HttpAnswer {
  // A header that is sent twice is ignored.
  const header = (name: string): string | null => {
    const [value, ...others] = response.headersDistinct[name] ?? []
    return value === undefined || others.length > 0 ? null : value
  }
  return {
    kind: 'answer',
    status: response.statusCode ?? 0,
    json: parse(body.toString('utf8')),
    bytes: body.length,
    retryAfter: header('retry-after'),
    date: header('date'),
    contentType: header('content-type'),
    challenge: header('www-authenticate'),
  }
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

const earlyEndError = (): Error =>
  Object.assign(new Error('the connection ended before the answer'), { code: 'ECONNRESET' })
