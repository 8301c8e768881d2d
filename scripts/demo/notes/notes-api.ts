/** What users of the service call: notes and transfers over HTTP. Each request of a tenant goes through the gate. */
import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Gate } from '../../../src/service/gate/index.ts'
import { readInvariant, transfer } from './tenant-database.ts'
import type { TenantStore } from './tenant-store.ts'

/**
 * `GET /health` (not through the gate), `GET /tenants/ID/notes?title=…`, `POST /tenants/ID/notes` with a text,
 * `POST /tenants/ID/transfers` and `GET /tenants/ID/invariant`.
 */
export function createNotesApi(gate: () => Gate, store: TenantStore): Server {
  return createServer((request, response) => {
    void serve(gate(), store, request).then(
      ({ status, body }) => send(response, status, { 'content-type': 'application/json' }, JSON.stringify(body)),
      (error: unknown) => {
        const paused = gate().tenantPaused(error)
        if (paused) send(response, paused.status, paused.headers, paused.body)
        else
          send(
            response,
            500,
            { 'content-type': 'application/json' },
            JSON.stringify({ error: error instanceof Error ? error.message : String(error) }),
          )
      },
    )
  })
}

interface Answer {
  readonly status: number
  readonly body: unknown
}

async function serve(gate: Gate, store: TenantStore, request: IncomingMessage): Promise<Answer> {
  const url = new URL(request.url ?? '/', 'http://localhost')
  if (url.pathname === '/health') return { status: 200, body: { healthy: true, tenants: store.ids().length } }
  const [, tenants, id = '', what] = url.pathname.split('/').map(decodeURIComponent)
  if (tenants !== 'tenants' || !store.has(id)) return { status: 404, body: { error: 'no such tenant' } }
  const text = request.method === 'POST' ? await readText(request) : ''
  return gate.run(id, () => {
    const { handle } = store.tenant(id)
    switch (`${request.method} ${what}`) {
      case 'GET notes':
        return {
          status: 200,
          body: handle
            .prepare('select id, title from notes where title >= ? order by title limit 20')
            .all(url.searchParams.get('title') ?? ''),
        }
      case 'POST notes':
        return {
          status: 201,
          body: {
            id: handle
              .prepare('insert into notes (title, body, at) values (?, ?, ?)')
              .run(text.slice(0, 100), text, Date.now()).lastInsertRowid,
          },
        }
      case 'POST transfers': {
        const transferId = randomBytes(8).toString('hex')
        transfer(handle, transferId, () => {})
        return { status: 201, body: { id: transferId } }
      }
      case 'GET invariant':
        return { status: 200, body: readInvariant(handle) }
      default:
        return { status: 404, body: { error: 'no such thing' } }
    }
  })
}

async function readText(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) {
    text += String(chunk)
    if (text.length > 100_000) throw new Error('too long')
  }
  return text
}

function send(response: ServerResponse, status: number, headers: Readonly<Record<string, string>>, body: string): void {
  response.writeHead(status, headers).end(body)
}
