/** Changes requests and answers between a client and an honest gate, so that the service seems to misbehave. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { GateHandler } from '../../../src/service/gate/index.ts'
import type { ServiceFaults, Misbehaviour } from './misbehaviour.ts'

type Kind = 'registry' | 'status' | 'quiesce' | 'renew' | 'resume' | 'leases' | 'capabilities'
type Json = Record<string, unknown>

interface AdminRequest {
  readonly kind: Kind
  readonly tenant: string | null
}

/** @param onQuiesced called after the answer to a quiesce was sent */
export function falsifyAnswers(
  handler: () => GateHandler,
  faults: ServiceFaults,
  onQuiesced: (tenant: string) => void,
): GateHandler {
  return (request, response) => {
    const asked = adminRequestOf(request)
    if (asked.kind === 'quiesce' && asked.tenant !== null) faults.beginPause(asked.tenant)
    const early = answerBefore(faults, asked)
    if (early) return answer(response, early.status, early.body, early.headers)
    void shorten(faults, asked, request).then(() => {
      change(
        response,
        (status, body) => falsify(faults, asked, status, body),
        (send) => deliver(faults, asked, request, response, send, onQuiesced),
      )
      handler()(request, response)
    })
  }
}

function adminRequestOf(request: IncomingMessage): AdminRequest {
  const [, , , kind, id, quiesce, lease, renew] = (request.url ?? '').split('?')[0]?.split('/') ?? []
  const tenant = id === undefined ? null : decodeURIComponent(id)
  if (kind !== 'tenants') return { kind: kind === 'quiesce' ? 'leases' : 'capabilities', tenant: null }
  if (tenant === null) return { kind: 'registry', tenant }
  if (quiesce === undefined) return { kind: 'status', tenant }
  if (lease === undefined) return { kind: 'quiesce', tenant }
  return { kind: renew === undefined ? 'resume' : 'renew', tenant }
}

interface EarlyAnswer {
  readonly status: number
  readonly body: Json
  readonly headers: Record<string, string>
}

const problem = (status: number, name: string, more: Json = {}, headers: Record<string, string> = {}): EarlyAnswer => ({
  status,
  body: { type: `urn:holdfast:problem:${name}`, title: name, status, ...more },
  headers: { 'content-type': 'application/problem+json', ...headers },
})

/** Answers that are sent instead of doing the work. */
function answerBefore(faults: ServiceFaults, { kind, tenant }: AdminRequest): EarlyAnswer | null {
  const occasion = `${kind} ${tenant}`
  if (kind === 'registry' && faults.has('empty-registry', null))
    return { status: 200, body: { tenants: [], next: null }, headers: {} }
  if (kind === 'registry' && faults.has('repeats-cursor', null))
    return { status: 200, body: { tenants: [], next: 'again' }, headers: {} }
  if (kind === 'quiesce' && faults.has('denies', tenant)) return problem(403, 'scope')
  if (kind === 'quiesce' && faults.first('limit', tenant, occasion, 2))
    return problem(429, 'quiesce-limit', {}, { 'retry-after': '1' })
  if (kind === 'quiesce' && faults.first('starting', tenant, occasion, 2))
    return problem(503, 'starting', {}, { 'retry-after': '1' })
  if (kind === 'resume' && faults.has('refuses-resume', tenant)) return problem(500, 'internal')
  if (kind === 'resume' && faults.has('unknown-lease', tenant)) return problem(410, 'lease-expired')
  return null
}

/** Asks the gate for a shorter lease than the client asked for. */
async function shorten(faults: ServiceFaults, { kind, tenant }: AdminRequest, request: IncomingMessage): Promise<void> {
  const ttlMs = faults.measure('lease-expires', tenant, 1)
  if (kind !== 'quiesce' || ttlMs === null) return
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const asked = JSON.parse(Buffer.concat(chunks).toString()) as Json
  Object.assign(request, { body: { ...asked, ttlMs: Math.max(1, ttlMs) } })
  claimedTtl.set(request, asked['ttlMs'])
}

const claimedTtl = new WeakMap<IncomingMessage, unknown>()

function falsify(faults: ServiceFaults, { kind, tenant }: AdminRequest, status: number, body: Json): Json {
  const has = (name: Misbehaviour): boolean => faults.has(name, tenant)
  if (kind === 'registry' && status === 200)
    return {
      ...body,
      tenants: (body['tenants'] as Json[]).map((listed) =>
        faults.has('outside-roots', String(listed['id'])) ? { ...listed, files: ['/etc/passwd'] } : listed,
      ),
    }
  if (kind === 'resume' && status === 200 && has('new-boot-id')) return { ...body, bootId: 'another-process' }
  if (kind === 'resume' && status === 200 && has('discontinuous')) return { ...body, continuous: false }
  if (kind !== 'quiesce' || status !== 201) return body
  const files = body['files'] as Json[]
  if (has('wrong-inode'))
    return { ...body, files: files.map((file) => ({ ...file, ino: String(BigInt(String(file['ino'])) + 1n) })) }
  if (has('outside-roots')) return { ...body, files: files.map((file) => ({ ...file, path: '/etc/passwd' })) }
  if (has('keeps-writing') || has('keeps-handles') || has('keeps-shm-open')) return { ...body, openHandles: 0 }
  return body
}

/** Sends the answer late, never, or destroys the connection. */
function deliver(
  faults: ServiceFaults,
  { kind, tenant }: AdminRequest,
  request: IncomingMessage,
  response: ServerResponse,
  send: () => void,
  onQuiesced: (tenant: string) => void,
): void {
  const quiesced = kind === 'quiesce' && response.statusCode === 201 && tenant !== null
  // Also if the answer never arrives. 'close' comes after 'finish': only the first of them counts.
  let reported = false
  const report = (): void => {
    if (!reported && tenant !== null) onQuiesced(tenant)
    reported = true
  }
  if (quiesced) response.once('finish', report).once('close', report)
  if (faults.first('loses-replies', tenant, kind, 1)) return void request.socket.destroy()
  if (kind === 'quiesce' && faults.has('never-answers', tenant)) return
  if (kind === 'resume' && faults.has('never-answers-resume', tenant)) return
  if (kind === 'quiesce' && faults.has('garbage', tenant)) return void response.end('all is well')
  const lateMs = kind === 'quiesce' || kind === 'resume' ? faults.measure('slow', tenant, 2_000) : null
  if (lateMs === null) send()
  else setTimeout(send, lateMs)
}

/** Intercepts the answer of the gate. */
function change(
  response: ServerResponse,
  edit: (status: number, body: Json) => Json,
  deliver: (send: () => void) => void,
): void {
  const writeHead = response.writeHead.bind(response)
  const end = response.end.bind(response)
  let status = 0
  let headers: Record<string, string> = {}
  response.writeHead = ((given: number, more: Record<string, string>) => {
    status = given
    headers = more
    return response
  }) as typeof response.writeHead
  response.end = ((bytes: Buffer) => {
    const body = Buffer.from(
      JSON.stringify(edit(status, withClaim(response.req, JSON.parse(bytes.toString()) as Json))),
    )
    response.writeHead = writeHead
    response.end = end
    response.statusCode = status
    deliver(() => void writeHead(status, { ...headers, 'content-length': String(body.length) }).end(body))
    return response
  }) as typeof response.end
}

const withClaim = (request: IncomingMessage, body: Json): Json =>
  claimedTtl.has(request) && 'leaseId' in body ? { ...body, expiresInMs: claimedTtl.get(request) } : body

function answer(response: ServerResponse, status: number, body: Json, headers: Record<string, string>): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}
