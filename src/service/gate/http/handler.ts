/**
 * The edge of the gate: checks who may ask, and answers every error. It throws nothing into the host application
 * (I4.1).
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { GateOptions } from '../options.ts'
import { Problem, reasonOf } from './problem.ts'
import { basePath, routeOf, type RouteAnswer, type Parts } from './routes.ts'

/** For node:http directly; for Express as `app.use(gate.handler)`: requests for other paths go to `next`. */
export type GateHandler = (request: IncomingMessage, response: ServerResponse, next?: (error?: unknown) => void) => void

export function createHandler(parts: Parts): GateHandler {
  return (request, response, next) => {
    if (next && !isForTheGate(request.url ?? '')) return next()
    void answer(parts, request).then((said) => send(request, response, said))
  }
}

const isForTheGate = (url: string): boolean => /^\/admin\/v1(?:[/?]|$)/.test(url)

async function answer(parts: Parts, request: IncomingMessage): Promise<RouteAnswer> {
  try {
    if (!isForTheGate(request.url ?? '')) throw new Problem('not-found', `the gate answers below ${basePath}`)
    const rights = authorize(parts.options, request)
    const route = routeOf(request)
    if (rights === 'look' && !route.looksOnly) throw new Problem('scope', 'this token may look but not quiesce')
    return await route.answer(parts)
  } catch (error) {
    const problem = error instanceof Problem ? error : new Problem('internal', reasonOf(error))
    return {
      status: problem.status,
      headers: { 'content-type': 'application/problem+json', ...problem.headers },
      body: problem.body,
    }
  }
}

function authorize(options: GateOptions, request: IncomingMessage): 'all' | 'look' {
  const denied = (detail: string): Problem => new Problem('auth', detail, { headers: { 'www-authenticate': 'Bearer' } })
  if (options.token === undefined && options.readOnlyToken === undefined) {
    // Peers on a unix socket have no address; the mode of the file protects it.
    if (request.socket.remoteAddress !== undefined)
      throw denied('this gate has no token, so it answers on unix sockets only')
    return 'all'
  }
  const given = /^Bearer +([^ ]+) *$/i.exec(request.headers.authorization ?? '')?.[1]
  if (given === undefined) throw denied('send a bearer token')
  if (options.token !== undefined && isSame(given, options.token)) return 'all'
  if (options.readOnlyToken !== undefined && isSame(given, options.readOnlyToken)) return 'look'
  throw denied('the token is not valid')
}

/** Takes the same time, however much of the token is right. */
function isSame(a: string, b: string): boolean {
  const digest = (value: string): Buffer => createHash('sha256').update(value).digest()
  return timingSafeEqual(digest(a), digest(b))
}

function send(request: IncomingMessage, response: ServerResponse, { status, headers, body }: RouteAnswer): void {
  try {
    if (response.headersSent || response.destroyed) return
    const bytes = Buffer.from(JSON.stringify(body))
    response.on('error', () => {})
    response.writeHead(status, {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'content-length': String(bytes.length),
      ...headers,
    })
    response.end(bytes)
    // The rest of a body that is not read must not keep the connection busy.
    if (!request.readableEnded) request.resume()
  } catch {
    response.destroy()
  }
}
