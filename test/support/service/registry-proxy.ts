/** Stands before a service, and answers the question for its list of tenants itself. Other calls go through. */
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'

export type ListAnswer =
  | 'as-it-is'
  | 'empty'
  | 'refused'
  | 'not-json'
  | 'misfit'
  | 'twice'
  | 'repeats-a-cursor'
  | 'hangs-up'
  | 'never'

export interface RegistryProxy extends AsyncDisposable {
  /** What the next question gets. */
  answer: ListAnswer
}

/** @param socket where it listens @param behind the socket of the service */
export async function openRegistryProxy(socket: string, behind: string): Promise<RegistryProxy> {
  const proxy = { answer: 'as-it-is' as ListAnswer }
  const server = createServer((incoming, response) => {
    const isList = /^\/admin\/v1\/tenants(?:\?|$)/.test(incoming.url ?? '')
    if (isList && proxy.answer !== 'as-it-is') answerList(proxy.answer, response)
    else forward(incoming, response, behind)
  })
  await new Promise<void>((resolve) => server.listen(socket, resolve))
  return Object.assign(proxy, {
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  })
}

function forward(incoming: IncomingMessage, response: ServerResponse, socketPath: string): void {
  const { method, url, headers } = incoming
  const onward = request({ socketPath, method, path: url, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 500, answer.headers)
    answer.pipe(response)
  })
  // The service pauses for no caller that has gone.
  response.once('close', () => onward.destroy())
  onward.once('error', () => response.destroy())
  incoming.pipe(onward)
}

function answerList(answer: Exclude<ListAnswer, 'as-it-is'>, response: ServerResponse): void {
  const send = (status: number, body: unknown): void =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  const tenant = { id: 'acme', files: ['/nowhere/acme.db'], state: 'active' }
  switch (answer) {
    case 'empty':
      return send(200, { tenants: [], next: null })
    case 'refused':
      return send(500, { type: 'about:blank', title: 'no list today', status: 500 })
    case 'not-json':
      return void response.writeHead(200, { 'content-type': 'application/json' }).end('{"tenants": [')
    case 'misfit':
      return send(200, { tenants: [{ id: 7 }], next: null })
    case 'twice':
      return send(200, { tenants: [tenant, tenant], next: null })
    case 'repeats-a-cursor':
      return send(200, { tenants: [], next: 'again' })
    case 'hangs-up':
      return void response.socket?.destroy()
    case 'never':
      return
  }
}
