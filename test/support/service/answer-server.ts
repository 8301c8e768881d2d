/** A service that answers what a test tells it to: the wire is real, only the word is not kept. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface ReceivedRequest {
  readonly method: string
  readonly url: string
  readonly key: string | undefined
  readonly authorization: string | undefined
  readonly body: unknown
  /** 1 for the first request of all. */
  readonly count: number
}

export type ServerAnswer =
  | {
      readonly status: number
      readonly body?: unknown
      readonly raw?: string | Buffer
      readonly headers?: Record<string, string>
    }
  /** No answer, ever. */
  | 'silence'
  /** The connection is destroyed instead of an answer. */
  | 'hang-up'
  /** The answer breaks off in the middle. */
  | 'half'
  /** Bytes without end. */
  | 'flood'
  /** A byte now and then, without end. */
  | 'trickle'

export interface AnswerServer extends AsyncDisposable {
  readonly socket: string
  readonly asked: ReceivedRequest[]
}

export async function openAnswerServer(answer: (asked: ReceivedRequest) => ServerAnswer): Promise<AnswerServer> {
  const dir = mkdtempSync(join(tmpdir(), 'answer-'))
  const socket = join(dir, 's')
  const asked: ReceivedRequest[] = []
  const server = createServer((request, response) => {
    void readBody(request).then((text) => {
      const one: ReceivedRequest = {
        method: request.method ?? '',
        url: request.url ?? '',
        key: request.headers['idempotency-key'] as string | undefined,
        authorization: request.headers.authorization,
        body: text === '' ? null : JSON.parse(text),
        count: asked.length + 1,
      }
      asked.push(one)
      tell(response, answer(one))
    })
  })
  await new Promise<void>((resolve) => server.listen(socket, resolve))
  return {
    socket,
    asked,
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

export const problem = (
  status: number,
  name: string,
  more: object = {},
  headers: Record<string, string> = {},
): ServerAnswer => ({
  status,
  body: { type: `https://example.org/problems/${name}`, title: name, status, ...more },
  headers: { 'content-type': 'application/problem+json', ...headers },
})

export const granted = (more: object = {}): ServerAnswer => ({
  status: 201,
  body: {
    leaseId: 'lease-1',
    fence: 1,
    bootId: 'boot-1',
    state: 'quiesced',
    expiresInMs: 5_000,
    drain: { waitedMs: 0, inFlight: 0 },
    openHandles: 0,
    files: [{ path: '/a.db', dev: '18446744073709551615', ino: '9007199254740993', size: 5, journalMode: 'wal' }],
    sqliteVersion: null,
    ...more,
  },
})

function tell(response: ServerResponse, answer: ServerAnswer): void {
  if (answer === 'silence') return
  if (answer === 'hang-up') return void response.socket?.destroy()
  if (answer === 'half') {
    response.writeHead(201, { 'content-length': '1000' })
    return void response.write('{"leaseId":', () => response.socket?.destroy())
  }
  if (answer === 'trickle') {
    response.writeHead(200)
    const trickling = setInterval(() => response.write(' '), 10)
    return void response.once('close', () => clearInterval(trickling))
  }
  if (answer === 'flood') {
    response.writeHead(200)
    const more = (): void => {
      if (response.destroyed) return
      while (response.write('x'.repeat(65_536)));
      response.once('drain', more)
    }
    return more()
  }
  response
    .writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers })
    .end(answer.raw ?? JSON.stringify(answer.body ?? null))
}

async function readBody(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text
}
