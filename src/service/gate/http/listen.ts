/** The gate on a unix socket of its own, for services that do not want it on their port. */
import { chmod, unlink } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { connect } from 'node:net'
import { isMainThread } from 'node:worker_threads'
import type { GateHandler } from './handler.ts'

/** Listens with mode 0660. It replaces a socket that a dead process left, but not one that answers. */
export async function listenOnSocket(handler: GateHandler, path: string): Promise<Server> {
  await removeDeadSocket(path)
  const server = createServer((request, response) => handler(request, response))
  // Between bind and chmod no other user may connect. The socket is bound before listen() returns. Threads share a mask
  // that they may not set.
  const before = isMainThread ? process.umask(0o117) : null
  try {
    server.listen(path)
  } finally {
    if (before !== null) process.umask(before)
  }
  await new Promise<void>((resolve, reject) => server.once('listening', resolve).once('error', reject))
  await chmod(path, 0o660)
  return server
}

async function removeDeadSocket(path: string): Promise<void> {
  const answer = await new Promise<string>((resolve) => {
    const socket = connect(path, () => {
      socket.destroy()
      resolve('alive')
    })
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))
  })
  if (answer === 'alive') throw new Error(`${path} is in use by another process`)
  if (answer === 'ECONNREFUSED') await unlink(path)
}
