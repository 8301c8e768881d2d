/** What the client does with its connections: how many there are, and when one of them is not used again. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { AdminSettings } from '../../../src/config/settings.ts'
import { sleep } from '../../../src/host/clock.ts'
import { Transport, type Request } from '../../../src/service/client/transport.ts'
import { openAnswerServer } from '../../support/service/answer-server.ts'
import { acme, connect, forever, settingsFor, shortOf } from '../../support/service/client.ts'
import { until } from '../../support/service/gate.ts'

interface RawService extends AsyncDisposable {
  readonly socket: string
  /** One list for each connection that was made: the first lines of its requests. */
  readonly connections: readonly string[][]
  readonly open: () => number
}

/** A service below HTTP: `answer` gets the connection, and the number of the request on it. */
async function openRaw(answer: (socket: Socket, count: number) => void): Promise<RawService> {
  const dir = mkdtempSync(join(tmpdir(), 'raw-'))
  const path = join(dir, 's')
  const connections: string[][] = []
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    const asked: string[] = []
    connections.push(asked)
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => {})
    socket.on('data', (bytes) => {
      asked.push(String(bytes).split('\r\n')[0] ?? '')
      answer(socket, asked.length)
    })
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return {
    socket: path,
    connections,
    open: () => sockets.size,
    async [Symbol.asyncDispose]() {
      server.close()
      for (const socket of sockets) socket.destroy()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

const answered = (text: string): string => `HTTP/1.1 200 OK\r\ncontent-length: ${text.length}\r\n\r\n${text}`

const look = { method: 'GET', path: '/x', headers: {}, body: null, timeoutMs: 5_000, answerBytesMax: 1_000 } as const

const open = (socket: string): Promise<Transport> => Transport.open(settingsFor(socket) as AdminSettings)

async function jsonOf(transport: Transport, request: Request = look): Promise<unknown> {
  const reply = await transport.send(request, forever)
  return reply.kind === 'answer' ? reply.json : reply.kind
}

test('one connection serves one request after another; at most 16 are open, and the other requests wait', async () => {
  const waiting: Socket[] = []
  await using service = await openRaw((socket) => waiting.push(socket))
  await using transport = await open(service.socket)
  const all = Promise.all(Array.from({ length: 40 }, () => jsonOf(transport)))
  await until(() => waiting.length === 16, 'sixteen requests are there')
  await sleep(50)
  expect([waiting.length, service.connections.length]).toEqual([16, 16])
  for (let sent = 0; sent < 40; sent++) {
    await until(() => waiting.length > 0, 'another request is there')
    waiting.shift()?.write(answered('1'))
  }
  expect(await all).toEqual(Array.from({ length: 40 }, () => 1))
  expect(service.connections.length).toBe(16)
})

test('a request that waits for a connection has its deadline and can be given up, unseen by the service', async () => {
  const waiting: Socket[] = []
  await using service = await openRaw((socket) => waiting.push(socket))
  await using transport = await open(service.socket)
  const first = Array.from({ length: 16 }, () => jsonOf(transport))
  await until(() => waiting.length === 16, 'sixteen requests are there')
  const late = await transport.send({ ...look, timeoutMs: 50 }, forever)
  expect(late).toMatchObject({ kind: 'lost', how: 'deadline', cause: { message: 'no answer within 50 ms' } })
  const given = new AbortController()
  const asked = transport.send(look, given.signal)
  given.abort(new Error('given up'))
  await expect(asked).rejects.toThrow('given up')
  for (const socket of waiting) socket.write(answered('1'))
  await Promise.all(first)
  await sleep(50)
  expect(service.connections.flat().length).toBe(16)
  const last = jsonOf(transport)
  await until(() => waiting.length === 17, 'the next request is there')
  waiting.at(-1)?.write(answered('2'))
  expect(await last).toBe(2)
})

test('requests that run or wait end when the client is closed, and none is made afterwards', async () => {
  await using service = await openRaw(() => undefined)
  const transport = await open(service.socket)
  const all = Promise.all(Array.from({ length: 20 }, () => jsonOf(transport)))
  await until(() => service.connections.flat().length === 16, 'sixteen requests are there')
  await transport[Symbol.asyncDispose]()
  expect(await all).toEqual(Array.from({ length: 20 }, () => 'lost'))
  expect(await jsonOf(transport)).toBe('lost')
  await until(() => service.open() === 0, 'all connections are closed')
  expect(service.connections.length).toBe(16)
})

test('a connection on which the service says more than it was asked for is not used again', async () => {
  const stray = answered('"stray"')
  // Together with an answer, and a moment later.
  for (const delayMs of [0, 20]) {
    let isWritten = delayMs === 0
    await using service = await openRaw((socket, count) => {
      if (count > 1 || service.connections.length > 1) return void socket.write(answered('"second"'))
      if (delayMs === 0) return void socket.write(answered('"first"') + stray)
      socket.write(answered('"first"'))
      setTimeout(() => socket.write(stray, () => (isWritten = true)), delayMs)
    })
    await using transport = await open(service.socket)
    expect(await jsonOf(transport)).toBe('first')
    await until(() => isWritten && service.open() === 0, 'the connection was given up')
    expect(await jsonOf(transport)).toBe('second')
    expect(service.connections.length).toBe(2)
  }
})

test('a connection that the service closes just as it is asked again is lost, and the call is repeated', async () => {
  const status = JSON.stringify({ id: 'acme', state: 'active', healthy: true, lease: null, lastError: null })
  await using service = await openRaw((socket, count) => {
    if (count === 1) socket.write(answered(status))
    else socket.destroy()
  })
  await using client = await connect(service.socket)
  for (let call = 0; call < 3; call++) expect(await client.tenant(acme, forever)).toMatchObject({ state: 'active' })
  expect(service.connections.map((asked) => asked.length)).toEqual([2, 2, 1])
  await using transport = await open(service.socket)
  expect(await jsonOf(transport)).toMatchObject({ id: 'acme' })
  expect(await transport.send(look, forever)).toMatchObject({ kind: 'lost', how: 'connection' })
})

test('an idle connection is closed after three seconds', async () => {
  await using service = await openRaw((socket) => socket.write(answered('1')))
  await using transport = await open(service.socket)
  expect(await jsonOf(transport)).toBe(1)
  await sleep(300)
  expect([await jsonOf(transport), service.open(), service.connections.length]).toEqual([1, 1, 1])
  await until(() => service.open() === 0, 'the idle connection is closed')
})

test('a change of the protocol, a redirect and an answer that is no HTTP are no answers', async () => {
  for (const [text, said] of [
    ['HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n', 'ADMIN_UNREACHABLE untouched'],
    ['HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 0\r\n\r\n', 'CONTRACT_BROKEN untouched'],
    ['SSH-2.0-OpenSSH_9.9\r\n', 'ADMIN_UNREACHABLE untouched'],
    ['HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n', 'ADMIN_UNREACHABLE untouched'],
    ['HTTP/1.1 200 OK\r\ncontent-length: 9\r\ntransfer-encoding: chunked\r\n\r\n', 'ADMIN_UNREACHABLE untouched'],
  ] as const) {
    await using service = await openRaw((socket) => socket.write(text))
    await using client = await connect(service.socket)
    expect([text, await shortOf(client.tenant(acme, forever))]).toEqual([text, said])
  }
})

test('a drain may take longer than the usual time of a call', async () => {
  await using service = await openAnswerServer(() => 'silence')
  await using transport = await Transport.open({
    ...settingsFor(service.socket),
    requestTimeoutMs: 20,
  } as AdminSettings)
  const startedAt = performance.now()
  expect(await transport.send({ ...look, timeoutMs: 150 }, forever)).toMatchObject({ kind: 'lost', how: 'deadline' })
  expect(performance.now() - startedAt).toBeGreaterThan(140)
})
