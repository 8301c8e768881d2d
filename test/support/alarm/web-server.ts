/** Servers on loopback that get alarms, and answer them as an enemy would. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import { createServer as createTcpServer, type Server, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'

interface WebRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export interface WebServer extends AsyncDisposable {
  readonly url: string
  /** What came, in order. */
  readonly requests: readonly WebRequest[]
  /** Answers all further requests with this status. */
  answer(status: number, headers?: Readonly<Record<string, string>>): void
}

/** Records each request and answers 200, until told otherwise. */
export async function openWebServer(listener?: RequestListener): Promise<WebServer> {
  const requests: WebRequest[] = []
  let status = 200
  let answered: Readonly<Record<string, string>> = {}
  const server = createServer((request, response) => {
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => pieces.push(piece))
    request.on('end', () => {
      const { method = '', url = '', headers } = request
      requests.push({ method, path: url, headers, body: Buffer.concat(pieces).toString('utf8') })
      if (listener) listener(request, response)
      else response.writeHead(status, answered).end('{"token":"garbage')
    })
  })
  const url = await listen(server)
  return {
    url,
    requests,
    answer: (next, headers = {}) => {
      status = next
      answered = headers
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** A server that speaks no HTTP: `onConnection` gets each connection. */
export async function openRawServer(
  onConnection: (socket: Socket) => void,
): Promise<{ readonly url: string } & AsyncDisposable> {
  const sockets = new Set<Socket>()
  const server = createTcpServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    onConnection(socket)
  })
  const url = await listen(server)
  return {
    url,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
