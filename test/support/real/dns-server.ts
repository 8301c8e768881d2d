/** PowerDNS, an authoritative name server: it keeps its SQLite file open with ten handles, in WAL mode. */
import { execFileSync } from 'node:child_process'
import { Resolver } from 'node:dns/promises'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { eventually, startProgram } from '../processes.ts'
import { debianLibraries, pathInDebian } from './debian.ts'
import { freePort, type RealProgram } from './real-program.ts'

const server = pathInDebian('pdns', 'usr/sbin/pdns_server')
const tool = pathInDebian('pdns', 'usr/bin/pdnsutil')
const backend = pathInDebian('pdns', 'usr/lib/x86_64-linux-gnu/pdns/libgsqlite3backend.so')
const schema = pathInDebian('pdns', 'usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql')

/** Why there is none; null if there is one. */
export const whyNoDnsServer: string | null =
  server !== null && tool !== null && backend !== null && schema !== null
    ? null
    : 'pdns-server and pdns-backend-sqlite3 are neither installed nor unpacked'

export async function startDnsServer(folder: string): Promise<RealProgram> {
  if (server === null || tool === null || backend === null || schema === null) throw new Error('there is no PowerDNS')
  const file = join(folder, 'pdns.sqlite3')
  const made = new Database(file)
  made.exec(readFileSync(schema, 'utf8'))
  made.close()
  const [port, dnsPort] = [await freePort(), await freePort()]
  const settings = {
    launch: 'gsqlite3',
    'gsqlite3-database': file,
    'module-dir': join(backend, '..'),
    'socket-dir': folder,
    api: 'yes',
    'api-key': 'test',
    webserver: 'yes',
    'webserver-address': '127.0.0.1',
    'webserver-port': port,
    'local-address': '127.0.0.1',
    'local-port': dnsPort,
    'security-poll-suffix': '',
    guardian: 'no',
    daemon: 'no',
    'disable-syslog': 'yes',
    'write-pid': 'no',
    // So that each question reaches the database.
    'cache-ttl': 0,
    'query-cache-ttl': 0,
    'negquery-cache-ttl': 0,
  }
  writeFileSync(
    join(folder, 'pdns.conf'),
    Object.entries(settings)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(''),
  )
  const env = { LD_LIBRARY_PATH: debianLibraries('pdns') }
  await using starting = new AsyncDisposableStack()
  const program = starting.use(startProgram(server, [`--config-dir=${folder}`], env))
  const zones = `http://127.0.0.1:${port}/api/v1/servers/localhost/zones`
  await eventually('the name server answers', async () => (await ask(zones)).ok)
  await ask(zones, 'POST', { name: 'example.org.', kind: 'Native', nameservers: ['ns1.example.org.'] })
  const resolver = new Resolver({ timeout: 2_000, tries: 2 })
  resolver.setServers([`127.0.0.1:${dnsPort}`])
  const started = starting.move()
  return {
    behind: 0,
    files: [
      {
        path: file,
        workIn: (copy) => Number(copy.prepare("select count(*) from records where name like 'host-%'").pluck().get()),
      },
    ],
    async work(number) {
      const records = [{ content: addressOf(number), disabled: false }]
      const name = `host-${number}.example.org.`
      await ask(`${zones}/example.org.`, 'PATCH', {
        rrsets: [{ name, type: 'A', ttl: 60, changetype: 'REPLACE', records }],
      })
      const answer = await resolver.resolve4(`host-${number}.example.org`)
      if (answer.join() !== addressOf(number)) throw new Error(`${name} has ${answer.join()}`)
    },
    async problems(done) {
      const problems: string[] = []
      for (let number = 1; number <= done; number++) {
        const answer = await resolver.resolve4(`host-${number}.example.org`).catch((error: unknown) => [String(error)])
        if (answer.join() !== addressOf(number)) problems.push(`host-${number} has ${answer.join()}`)
      }
      const said = execFileSync(tool, [`--config-dir=${folder}`, 'check-all-zones'], {
        env: { ...process.env, ...env },
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      return /, 0 had errors|Checked \d+ zones, 0 /.test(said) ? problems : [...problems, said.trim()]
    },
    async end() {
      await program[Symbol.asyncDispose]()
      const { stderr, stdout } = await program.ended
      return `${stdout}\n${stderr}`
        .split('\n')
        .filter((line) => /locked|malformed|disk I\/O|Database error/i.test(line))
    },
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  }
}

const addressOf = (number: number): string => `192.0.2.${number % 256}`

async function ask(url: string, method = 'GET', body?: object): Promise<Response> {
  const headers = { 'x-api-key': 'test', 'content-type': 'application/json' }
  const answer = await fetch(url, { method, headers, ...(body && { body: JSON.stringify(body) }) })
  if (!answer.ok) throw new Error(`the name server answered ${answer.status}: ${await answer.text()}`)
  return answer
}
