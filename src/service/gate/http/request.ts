/** Reads requests: bounded in size and time. Every field must be known, and none may be missing. */
import type { IncomingMessage } from 'node:http'
import { Problem } from './problem.ts'

const bodyBytesMax = 65_536
const bodyMsMax = 10_000

export type Fields = Readonly<Record<string, unknown>>

/** @throws {Problem} for anything but one JSON object with known fields */
export async function readFields(request: IncomingMessage, known: readonly string[]): Promise<Fields> {
  const parsed = (request as { body?: unknown }).body
  const body: unknown =
    parsed !== undefined && !(parsed instanceof Uint8Array) && typeof parsed !== 'string'
      ? parsed
      : parseJson(await readText(request))
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new Problem('invalid-request', 'the body must be a JSON object')
  const unknown = Object.keys(body).find((name) => !known.includes(name))
  if (unknown !== undefined)
    throw new Problem('unknown-field', `the field ${JSON.stringify(unknown.slice(0, 100))} is not known here`)
  return body as Fields
}

/** @throws {Problem} for parameters that are unknown or repeated */
export function readQuery(query: URLSearchParams, known: readonly string[]): void {
  for (const name of query.keys()) {
    if (!known.includes(name))
      throw new Problem('unknown-field', `the parameter ${JSON.stringify(name.slice(0, 100))} is not known here`)
    if (query.getAll(name).length > 1) throw new Problem('invalid-request', `the parameter ${name} came more than once`)
  }
}

export function text(fields: Fields, name: string, charactersMax: number): string {
  const value = fields[name]
  if (typeof value !== 'string' || value.length === 0 || value.length > charactersMax)
    throw new Problem('invalid-request', `${name} must be a text of 1 to ${charactersMax} characters`)
  return value
}

export function positive(fields: Fields, name: string): number {
  const value = fields[name]
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1)
    throw new Problem('invalid-request', `${name} must be a whole number above 0`)
  return value
}

async function readText(request: IncomingMessage): Promise<string> {
  const type = request.headers['content-type'] ?? ''
  if (!/^application\/json\s*(;|$)/i.test(type)) throw new Problem('not-json', 'send the body as application/json')
  const early = (request as { body?: unknown }).body
  if (typeof early === 'string' || early instanceof Uint8Array) return early.toString()
  const declared = Number(request.headers['content-length'] ?? 0)
  if (declared > bodyBytesMax) throw tooLarge()
  return collect(request)
}

const tooLarge = (): Problem =>
  new Problem('body-too-large', `a body has at most ${bodyBytesMax} bytes`, { headers: { connection: 'close' } })

function collect(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    let settled = false
    const settle = (act: () => void): void => {
      if (settled) return // Every request is closed in the end; one that was read needs no error.
      settled = true
      clearTimeout(timer)
      request.off('data', onData)
      act()
    }
    const timer = setTimeout(
      () =>
        settle(() =>
          reject(
            new Problem('request-timeout', `the body was not there after ${bodyMsMax} ms`, {
              headers: { connection: 'close' },
            }),
          ),
        ),
      bodyMsMax,
    )
    const onData = (chunk: Buffer | string): void => {
      const piece = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
      bytes += piece.length
      if (bytes > bodyBytesMax) settle(() => reject(tooLarge()))
      else chunks.push(piece)
    }
    request.on('data', onData)
    request.once('end', () => settle(() => resolve(Buffer.concat(chunks).toString('utf8'))))
    request.once('error', (error) => settle(() => reject(error)))
    request.once('close', () => settle(() => reject(new Problem('invalid-request', 'the request broke off'))))
  })
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    throw new Problem('invalid-request', 'the body is not JSON')
  }
}
