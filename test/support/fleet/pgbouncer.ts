/** PgBouncer before a database, configured as SETUP.md says. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  closeSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '../processes.ts'
import { debianLibraries, pathInDebian } from '../real/debian.ts'
import { freePort } from '../real/real-program.ts'
import type { EncryptedFleet } from './encrypted-fleet.ts'
import { setUpFile } from './fleet-roles.ts'
import { unprivilegedUser } from './postgres-cluster.ts'

const program = pathInDebian('pgbouncer', 'usr/sbin/pgbouncer')

/** Why there is no PgBouncer for tests; null if there is one. */
export const noPgBouncer: string | null = program === null ? 'PgBouncer is not installed' : null

export interface PgBouncer extends AsyncDisposable {
  readonly port: number
  log(): string
}

/** @param connections to the server, at most, for each role */
export async function startPgBouncer(fleet: EncryptedFleet, address: string, connections: number): Promise<PgBouncer> {
  if (program === null) throw new Error('PgBouncer is not installed')
  await using opened = new AsyncDisposableStack()
  const folder = opened.adopt(mkdtempSync(join(tmpdir(), 'pgbouncer-')), (made) => rmSync(made, { recursive: true }))
  const { uid, gid } = unprivilegedUser()
  const own = (path: string): void => {
    chmodSync(path, 0o600)
    chownSync(path, uid, gid)
  }
  const port = await freePort()
  const { host, port: serverPort } = fleet.cluster.address
  const ini = setUpFile('[databases]')
    .replace('host=/var/run/postgresql port=5432', `host=${host} port=${serverPort}`)
    .replace('listen_addr = *', `listen_addr = ${address}`)
    .replace('listen_port = 6432', `listen_port = ${port}`)
    .replace('default_pool_size = 8', `default_pool_size = ${connections}`)
    .replaceAll('/etc/pgbouncer', folder)
  const { certFile, keyFile } = fleet.authority.issue('pgbouncer', [`IP:${address}`])
  const iniFile = join(folder, 'pgbouncer.ini')
  writeFileSync(iniFile, ini)
  await fleet.cluster.shell(setUpFile('umask').replace('/etc/pgbouncer', folder))
  copyFileSync(certFile, join(folder, 'server.crt'))
  copyFileSync(keyFile, join(folder, 'server.key'))
  chownSync(folder, uid, gid)
  for (const name of ['pgbouncer.ini', 'userlist.txt', 'server.crt', 'server.key']) own(join(folder, name))
  const log = join(folder, 'log')
  const descriptor = openSync(log, 'a')
  const env = { ...process.env, LD_LIBRARY_PATH: debianLibraries('pgbouncer') }
  const server = spawn(program, [iniFile], { uid, gid, env, stdio: ['ignore', descriptor, descriptor] })
  closeSync(descriptor)
  opened.defer(async () => {
    if (server.exitCode !== null || server.signalCode !== null) return
    const closed = once(server, 'close')
    server.kill('SIGQUIT')
    await closed
  })
  const answers = (): Promise<boolean> =>
    new Promise((resolve, reject) => {
      const socket = connect(port, address, () => resolve(true)).once('error', reject)
      socket.once('connect', () => socket.destroy())
    })
  await eventually('PgBouncer answers', answers).catch((error: unknown) => {
    throw new Error(readFileSync(log, 'utf8'), { cause: error })
  })
  const kept = opened.move()
  return { port, log: () => readFileSync(log, 'utf8'), [Symbol.asyncDispose]: () => kept.disposeAsync() }
}
