/** A relay between agents and the database that can freeze and delay what it carries, as a network does. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createConnection, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FleetAddress } from '../../../src/config/fleet/fleet-settings.ts'
import { socketOf } from '../../../src/fleet/database/pglite/statement-server.ts'

export interface DatabaseRelay extends AsyncDisposable {
  /** The database through the relay. */
  readonly address: FleetAddress
  /** Nothing passes, and no connection ends: as when the route is gone. */
  freeze(): void
  /** Everything passes again, also what came meanwhile. */
  thaw(): void
  /** Each message takes so many ms more. */
  delay(ms: number): void
}

export async function startDatabaseRelay(database: FleetAddress): Promise<DatabaseRelay> {
  const folder = mkdtempSync(join(tmpdir(), 'relay-'))
  const [from, to, address] = ends(database, folder)
  const open = new Set<Socket>()
  let gate = Promise.withResolvers<void>()
  gate.resolve()
  let delayMs = 0
  const carry = (one: Socket, other: Socket): void => {
    let last = Promise.resolve()
    one.on('data', (bytes: Buffer) => {
      last = last.then(async () => {
        if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs))
        await gate.promise
        other.write(bytes)
      })
    })
    one.on('error', () => undefined)
    one.on('close', () => void last.then(() => gate.promise).then(() => other.destroy()))
  }
  const server = createServer((near) => {
    const far = createConnection(to)
    for (const socket of [near, far]) {
      open.add(socket)
      socket.on('close', () => open.delete(socket))
    }
    carry(near, far)
    carry(far, near)
  })
  await new Promise<void>((resolve) => server.listen(from, resolve))
  return {
    address,
    freeze: () => {
      gate = Promise.withResolvers<void>()
    },
    thaw: () => gate.resolve(),
    delay: (ms) => {
      delayMs = ms
    },
    async [Symbol.asyncDispose]() {
      gate.resolve()
      for (const socket of open) socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Where the relay listens, where it connects to, and the address of the database through it. */
function ends(database: FleetAddress, folder: string): readonly [string, string, FleetAddress] {
  if (database.kind === 'pglite') {
    const dir = join(folder, 'fleet')
    return [socketOf(dir), socketOf(database.dir), { kind: 'pglite', dir }]
  }
  const name = `.s.PGSQL.${database.port}`
  return [join(folder, name), join(database.host, name), { ...database, host: folder }]
}
