/**
 * The sync server of a budget program, from npm. It keeps its accounts open all day, and opens one file for each budget
 * while it answers a request; all of them with a rollback journal.
 *
 * It is no dependency of this package: it has 140 MB in 213 packages. The first test installs it beside them, once, in
 * about ten seconds. It runs on the Node of the tests, with the SQLite of the tests: the one that it names would be
 * compiled, which takes a minute or more.
 */
import { randomUUID } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { machineEnvironment, runAs } from '../npm.ts'
import { eventually, repository, startProgram } from '../processes.ts'
import { freePort, type RealProgram } from './real-program.ts'

const version = '26.9.0'
/** A piece of work is two requests, and the server answers 500 a minute. */
const workEveryMs = 300
const installed = join(repository, `node_modules/.programs/sync-server-${version}`)

/** Installs it if it is not there. @returns why there is none; null if there is one */
export function whyNoSyncServer(): string | null {
  if (existsSync(installed)) return null
  mkdirSync(join(installed, '..'), { recursive: true })
  const folder = mkdtempSync(join(installed, '../installing-'))
  const ours = readFileSync(join(repository, 'node_modules/better-sqlite3/package.json'), 'utf8')
  const { version: sqlite } = JSON.parse(ours) as { version: string }
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ private: true, overrides: { 'better-sqlite3': sqlite } }),
  )
  const { status, stderr } = runAs(machineEnvironment(), folder, 'npm', [
    'install',
    '--no-audit',
    '--no-fund',
    '--prefer-offline',
    '--ignore-scripts',
    '--loglevel=error',
    '--fetch-retries=1',
    `@actual-app/sync-server@${version}`,
  ])
  // Another test may have installed it meanwhile.
  if (status === 0 && !existsSync(installed)) renameSync(folder, installed)
  rmSync(folder, { recursive: true, force: true })
  return status === 0 ? null : `npm could not install it: ${stderr.trim().split('\n').at(-1)}`
}

/** The messages of the protocol, by the package that the server itself uses. */
interface Protocol {
  readonly SyncRequestSchema: unknown
  readonly MessageEnvelopeSchema: unknown
  readonly SyncResponseSchema: unknown
  readonly create: (schema: unknown, fields: object) => object
  readonly toBinary: (schema: unknown, message: object) => Uint8Array<ArrayBuffer>
  readonly fromBinary: (
    schema: unknown,
    bytes: Uint8Array,
  ) => { readonly messages: readonly { readonly timestamp: string }[] }
}

export async function startSyncServer(folder: string): Promise<RealProgram> {
  const port = await freePort()
  const address = `http://127.0.0.1:${port}`
  await using starting = new AsyncDisposableStack()
  const program = starting.use(
    startProgram(
      process.execPath,
      [join(installed, 'node_modules/@actual-app/sync-server/build/bin/actual-server.js')],
      {
        ACTUAL_PORT: String(port),
        ACTUAL_HOSTNAME: '127.0.0.1',
        ACTUAL_DATA_DIR: folder,
        // Vitest says `test`, and then the server takes folders of its own.
        NODE_ENV: 'production',
      },
    ),
  )
  await eventually('the sync server answers', async () => (await fetch(`${address}/health`)).ok)
  const protocol = (await import(
    pathToFileURL(join(installed, 'node_modules/@actual-app/crdt/dist/index.js')).href
  )) as Protocol
  const password = randomUUID()
  await postJson(`${address}/account/bootstrap`, { password })
  const token = await logIn(address, password)
  const budget = { fileId: randomUUID(), groupId: '' }
  budget.groupId = await upload(address, token, budget.fileId, 'budget')
  const sync = (messages: readonly object[], since: string): Promise<readonly string[]> =>
    exchange(address, token, protocol, { ...budget, messages, since })
  await sync([], timestampOf(0))
  const users = join(folder, 'user-files')
  const group = readdirSync(users).find((name) => name.startsWith('group-'))
  if (group === undefined) throw new Error(`there is no file of the budget in ${users}`)
  const started = starting.move()
  return {
    behind: 0,
    files: [
      {
        path: join(folder, 'server-files/account.sqlite'),
        workIn: (copy) => Number(copy.prepare("select count(*) from files where name like 'work %'").pluck().get()),
      },
      {
        path: join(users, group),
        workIn: (copy) => Number(copy.prepare('select count(*) from messages_binary').pluck().get()),
      },
    ],
    async work(number) {
      const mayGoOn = sleep(workEveryMs)
      await upload(address, token, randomUUID(), `work ${number}`)
      const content = new TextEncoder().encode(`transaction ${number}`)
      const message = { timestamp: timestampOf(number), isEncrypted: false, content }
      await sync([protocol.create(protocol.MessageEnvelopeSchema, message)], timestampOf(number))
      await mayGoOn
    },
    async problems(done) {
      const [health, received] = await Promise.all([fetch(`${address}/health`), sync([], timestampOf(0))])
      await logIn(address, password)
      const missing = Array.from({ length: done }, (_, at) => timestampOf(at + 1)).filter(
        (timestamp) => !received.includes(timestamp),
      )
      return [
        ...(health.ok ? [] : [`its health is ${health.status}`]),
        ...missing.map((timestamp) => `it has lost the message ${timestamp}`),
      ]
    },
    async end() {
      await program[Symbol.asyncDispose]()
      return (await program.ended).stderr.split('\n').filter((line) => /SQLITE|database is/i.test(line))
    },
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  }
}

/** As the program's clients make them: a time, a counter, and the id of the client. They sort as text. */
const timestampOf = (number: number): string =>
  `${new Date(Date.UTC(2026, 0, 1) + number * 1000).toISOString()}-0000-0123456789abcdef`

async function logIn(address: string, password: string): Promise<string> {
  const { token } = await postJson(`${address}/account/login`, { loginMethod: 'password', password })
  return String(token)
}

async function upload(address: string, token: string, fileId: string, name: string): Promise<string> {
  const answer = await fetch(`${address}/sync/upload-user-file`, {
    method: 'POST',
    headers: {
      'content-type': 'application/encrypted-file',
      'x-actual-token': token,
      'x-actual-file-id': fileId,
      'x-actual-name': name,
      'x-actual-format': '2',
    },
    body: `budget ${name}`,
  })
  const { groupId } = (await okBody(answer, (one) => one.json())) as { groupId: string }
  return groupId
}

/** @returns the timestamps of all messages after `since` that the server had before */
async function exchange(
  address: string,
  token: string,
  { SyncRequestSchema, SyncResponseSchema, create, toBinary, fromBinary }: Protocol,
  request: object,
): Promise<readonly string[]> {
  const answer = await fetch(`${address}/sync/sync`, {
    method: 'POST',
    headers: { 'content-type': 'application/actual-sync', 'x-actual-token': token },
    body: toBinary(SyncRequestSchema, create(SyncRequestSchema, request)),
  })
  const bytes = await okBody(answer, (one) => one.bytes())
  return fromBinary(SyncResponseSchema, bytes as Uint8Array).messages.map(({ timestamp }) => timestamp)
}

async function postJson(url: string, body: object): Promise<Readonly<Record<string, unknown>>> {
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  const { data } = (await okBody(answer, (one) => one.json())) as { data: Readonly<Record<string, unknown>> }
  return data
}

async function okBody(answer: Response, read: (answer: Response) => Promise<unknown>): Promise<unknown> {
  if (answer.ok) return read(answer)
  throw new Error(`the sync server answered ${answer.status}: ${await answer.text()}`)
}
