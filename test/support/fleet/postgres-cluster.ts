/**
 * A PostgreSQL of a test's own: a folder, a unix socket, no TCP unless a test asks for it, an unprivileged user, and
 * nothing that outlives the test.
 */
import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  closeSync,
  copyFileSync,
  existsSync,
  globSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { FleetAddress } from '../../../src/config/fleet/fleet-settings.ts'
import { sleep } from '../../../src/host/clock.ts'
import { repository } from '../processes.ts'
import { debianLibraries } from '../real/debian.ts'
import type { IssuedCertificate } from '../service/certificates.ts'
import type { Network } from './networks.ts'
import { copyTemplate } from './templates.ts'

const user = 'fleet'
const startMsMax = 240_000

/** The newest that is installed or was unpacked before the tests (scripts/vitest/before-tests.ts). */
const binaries = ['/', join(repository, 'node_modules/.debian/postgresql')]
  .flatMap((root) => globSync(join(root, 'usr/lib/postgresql/*/bin')))
  .filter((folder) => existsSync(join(folder, 'initdb')))
  .toSorted((one, other) => versionOf(other) - versionOf(one))[0]

/** Of a package that was only unpacked: the libraries that this machine lacks. */
const env = { ...process.env, LD_LIBRARY_PATH: debianLibraries('postgresql') }

function versionOf(folder: string): number {
  return Number(folder.split('/').at(-2))
}

/** Why there is no PostgreSQL for tests; null if there is one. */
export const noPostgres: string | null = binaries === undefined ? 'PostgreSQL is not installed' : null

export interface ClusterOptions {
  /** Of its folder. */
  readonly parent?: string
  /** Where it listens by TCP. */
  readonly listen?: { readonly address: string; readonly port: number }
  /** Lines of pg_hba.conf. Who is in none of them may connect by the socket. */
  readonly access?: readonly string[]
  /** With it the server offers TLS. */
  readonly certificate?: IssuedCertificate
  /** The network of the server; null: that of the test. Its socket is there for all networks. */
  readonly network?: Network | null
}

export class PostgresCluster implements AsyncDisposable {
  /** Of the socket, the data and the log. */
  readonly folder: string
  /** Of the server, from its next start on. */
  environment: Readonly<Record<string, string>> = {}
  readonly #network: Network | null
  readonly #port: number
  #server: ChildProcess | null = null

  private constructor(folder: string, { network = null, listen }: ClusterOptions) {
    this.folder = folder
    this.#network = network
    this.#port = listen?.port ?? 5432
  }

  static async start(options: ClusterOptions = {}): Promise<PostgresCluster> {
    const { parent = tmpdir(), listen, access = [], certificate } = options
    const folder = mkdtempSync(join(parent, 'pg-'))
    const { uid, gid } = unprivilegedUser()
    chownSync(folder, uid, gid)
    const cluster = new PostgresCluster(folder, options)
    const data = join(folder, 'data')
    await copyTemplate('postgres', data, makeData)
    appendFileSync(
      join(data, 'postgresql.conf'),
      `listen_addresses = '${listen?.address ?? ''}'\nport = ${cluster.#port}\n` +
        `unix_socket_directories = '${folder}'\nmax_connections = 200\nfsync = off\n` +
        `synchronous_commit = off\nfull_page_writes = off\nshared_buffers = 32MB\n`,
    )
    if (access.length > 0) writeFileSync(join(data, 'pg_hba.conf'), [...access, 'local all all trust\n'].join('\n'))
    if (certificate !== undefined) cluster.encrypt(certificate)
    await cluster.serve()
    return cluster
  }

  /** From the next start on the server has this certificate; null: it offers no encryption. */
  encrypt(certificate: IssuedCertificate | null): void {
    const { uid, gid } = unprivilegedUser()
    for (const [from, name] of [
      [certificate?.certFile, 'server.crt'],
      [certificate?.keyFile, 'server.key'],
    ] as const) {
      if (from === undefined) continue
      const to = join(this.folder, 'data', name)
      copyFileSync(from, to)
      chmodSync(to, 0o600)
      chownSync(to, uid, gid)
    }
    appendFileSync(join(this.folder, 'data/postgresql.conf'), `ssl = ${certificate === null ? 'off' : 'on'}\n`)
  }

  /** Its superuser, in the database `postgres`. */
  get address(): Extract<FleetAddress, { kind: 'postgres' }> {
    return { kind: 'postgres', host: this.folder, port: this.#port, user, database: 'postgres' }
  }

  /** The process of the server; it can be killed or frozen. */
  get pid(): number {
    const pid = this.#server?.pid
    if (pid === undefined) throw new Error('the server does not run')
    return pid
  }

  /** True if the server has ended, by `stop` or by itself. */
  get hasEnded(): boolean {
    return this.#server === null || this.#server.exitCode !== null || this.#server.signalCode !== null
  }

  /** Starts the server again after `stop`. */
  async serve(): Promise<void> {
    const log = openSync(join(this.folder, 'log'), 'a')
    const [command, ...words] = [...this.#enterArguments(), program('postgres'), '-D', join(this.folder, 'data')]
    this.#server = spawn(command, words, {
      cwd: this.folder,
      env: { ...env, ...this.environment },
      stdio: ['ignore', log, log],
      ...(this.#network === null ? unprivilegedUser() : {}),
    })
    closeSync(log)
    for (const untilMs = performance.now() + startMsMax; !(await this.#isReady()); await sleep(20)) {
      if (performance.now() > untilMs || this.#server.exitCode !== null)
        throw new Error(`PostgreSQL does not start:\n${readFileSync(join(this.folder, 'log'), 'utf8')}`)
    }
  }

  /** Only root can enter a network, so `nsenter` becomes the other user. */
  #enterArguments(): readonly string[] {
    const { uid, gid } = unprivilegedUser()
    return this.#network === null ? [] : [...this.#network.enter, `--setuid=${uid}`, `--setgid=${gid}`]
  }

  async #isReady(): Promise<boolean> {
    try {
      const at = ['-h', this.folder, '-p', String(this.#port), '-U', user]
      await promisify(execFile)(program('pg_isready'), ['-q', ...at], { env })
      return true
    } catch {
      return false
    }
  }

  /** Runs a line of the shell as its superuser: `psql` is that of the server, and connects to it. */
  async shell(line: string): Promise<void> {
    const here = { PGHOST: this.folder, PGPORT: String(this.#port), PGUSER: user, PGDATABASE: 'postgres' }
    const PATH = `${binaries}:${process.env['PATH']}`
    await promisify(execFile)('sh', ['-ec', line], { env: { ...env, ...here, PATH } })
  }

  /** Another server that follows this one. */
  async standby(): Promise<PostgresCluster> {
    const folder = mkdtempSync(join(tmpdir(), 'pg-'))
    const { uid, gid } = unprivilegedUser()
    chownSync(folder, uid, gid)
    const data = join(folder, 'data')
    await promisify(execFile)(
      program('pg_basebackup'),
      ['-D', data, '-h', this.folder, '-U', user, '-X', 'stream', '-c', 'fast', '-R', '--no-sync'],
      { cwd: folder, uid, gid },
    )
    appendFileSync(join(data, 'postgresql.conf'), `unix_socket_directories = '${folder}'\n`)
    const cluster = new PostgresCluster(folder, {})
    await cluster.serve()
    return cluster
  }

  /** A standby follows nobody any more, and takes writes. */
  async promote(): Promise<void> {
    const data = join(this.folder, 'data')
    await promisify(execFile)(program('pg_ctl'), ['promote', '-s', '-w', '-D', data], unprivilegedUser())
  }

  /** From now on a crash loses nothing that the server has answered. Without this, tests are faster. */
  loseNothing(): void {
    appendFileSync(join(this.folder, 'data/postgresql.conf'), 'synchronous_commit = on\n')
    this.#server?.kill('SIGHUP')
  }

  /** `fast`: as an operator restarts it. `crash`: as if the machine lost its power. */
  async stop(how: 'fast' | 'crash'): Promise<void> {
    const server = this.#server
    if (server === null || this.hasEnded) return
    const closed = once(server, 'close')
    server.kill(how === 'fast' ? 'SIGINT' : 'SIGQUIT')
    await closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server?.kill('SIGCONT')
    await this.stop('crash')
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** `initdb` makes the folder, so the one around it must be of its user. */
async function makeData(data: string): Promise<void> {
  const around = mkdtempSync(join(tmpdir(), 'initdb-'))
  const { uid, gid } = unprivilegedUser()
  chownSync(around, uid, gid)
  const made = join(around, 'data')
  await promisify(execFile)(
    program('initdb'),
    ['-D', made, '-A', 'trust', '-U', user, '-E', 'UTF8', '--locale=C', '--no-sync'],
    { cwd: around, uid, gid, env },
  )
  execFileSync('cp', ['-a', made, data])
  rmSync(around, { recursive: true })
}

function program(name: string): string {
  if (binaries === undefined) throw new Error('PostgreSQL is not installed')
  return join(binaries, name)
}

/** PostgreSQL refuses to run as root. */
export function unprivilegedUser(): { readonly uid: number; readonly gid: number } {
  const { uid, gid } = userInfo()
  const nobody = 65_534
  return uid === 0 ? { uid: nobody, gid: nobody } : { uid, gid }
}
