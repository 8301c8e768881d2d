/**
 * Serves the statements of other processes of this machine and this user, over a unix socket beside the folder. A
 * client that dies leaves nothing behind: its statement ends by itself, and the answer is dropped.
 */

import { chmodSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { systemFailure } from '../../../host/failures/system-failure.ts'
import { withFileMask } from '../../../host/process/file-mask.ts'
import type { PgliteEngine } from './pglite-engine.ts'
import { lineOf, readLines, type Statement, type StatementAnswer } from './statement-lines.ts'

const clientsMax = 200

export const socketOf = (dir: string): string => `${dir}.sock`

/** Call it with the lock of the folder: a socket that is there was left by a process that is gone. */
export async function serveStatements(engine: PgliteEngine, dir: string): Promise<AsyncDisposable> {
  const path = socketOf(dir)
  const clients = new Set<Socket>()
  const server = createServer((client) => {
    clients.add(client)
    client.on('error', () => {}).on('close', () => clients.delete(client))
    readLines(client, (message) => {
      if (isStatement(message)) void answer(engine, client, message)
      else client.destroy()
    })
  })
  server.maxConnections = clientsMax
  try {
    rmSync(path, { force: true })
    await listen(server, path)
    chmodSync(path, 0o600)
  } catch (error) {
    server.close()
    throw systemFailure(error, { doing: 'listen on', path })
  }
  return {
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve)) // It removes the socket.
      for (const client of clients) client.destroy()
      await closed
    },
  }
}

const listen = (server: Server, path: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject).once('listening', resolve)
    // Node makes the socket before `listen` returns: other users must never be able to open it.
    withFileMask(0o177, () => server.listen(path))
  })

function isStatement(message: unknown): message is Statement {
  const { id, text, values } = (message ?? {}) as Partial<Record<keyof Statement, unknown>>
  return typeof id === 'number' && typeof text === 'string' && Array.isArray(values)
}

async function answer(engine: PgliteEngine, client: Socket, { id, text, values }: Statement): Promise<void> {
  const given: StatementAnswer = await engine.run(text, values).then(
    (raw) => ({ id, ...raw }),
    (error: unknown) => ({ id, refused: refusalOf(error) }),
  )
  if (!client.destroyed) client.write(lineOf(given))
}

const refusalOf = (error: unknown): { readonly message: string; readonly code: string } => ({
  message: error instanceof Error ? error.message : String(error),
  code: error instanceof Error && 'code' in error ? String(error.code) : '',
})
