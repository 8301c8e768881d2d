/** A connection that can hang: a unix socket in a folder of its own that leads to another one. */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** As PostgreSQL names its socket in a folder. */
const socketName = '.s.PGSQL.5432'

export interface Relay extends AsyncDisposable {
  /** For `fleet.database`: the host. */
  readonly folder: string
  /** Takes connections and bytes, and passes none of them on. Neither side learns of it. */
  freeze(): void
  thaw(): void
}

/** @param folder of the real socket */
export async function openRelay(folder: string): Promise<Relay> {
  const own = mkdtempSync(join(tmpdir(), 'relay-'))
  const sockets = new Set<Socket>()
  let frozen = false
  const server = createServer((client) => {
    const server = connect(join(folder, socketName))
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(from)
      from.on('data', (bytes) => to.write(bytes))
      from.on('error', () => to.destroy())
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
      if (frozen) from.pause()
    }
  })
  await once(server.listen(join(own, socketName)), 'listening')
  return {
    folder: own,
    freeze() {
      frozen = true
      for (const socket of sockets) socket.pause()
    },
    thaw() {
      frozen = false
      for (const socket of sockets) socket.resume()
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server.close(), 'close')
      for (const socket of sockets) socket.destroy()
      await closed
      rmSync(own, { recursive: true })
    },
  }
}
