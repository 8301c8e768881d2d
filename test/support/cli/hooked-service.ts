/**
 * A service without an admin API: it serves and writes in the test's own process, and `notesctl`, a program of its own,
 * makes it pause and resume. No lease ends a pause of it.
 */
import { once } from 'node:events'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { makeDatabase, makeFolder, type Folder } from './folder.ts'

export interface HookedService extends AsyncDisposable {
  readonly folder: Folder
  readonly data: string
  readonly config: string
  readonly snapshots: string
  /** The commands that notesctl got, in order, without the listings. */
  readonly actions: string[]
  readonly paused: () => readonly string[]
  /**
   * Ends the service, and reads from the files what it acknowledged.
   * @returns rows that are missing or too many, by tenant
   */
  stopAndCount(): Promise<Readonly<Record<string, number>>>
}

export interface HookedServiceOptions {
  /** `files`: how many database files it has, 1 by default; each write is one transaction over all of them. */
  readonly tenants: Readonly<Record<string, { readonly wal: boolean; readonly files?: number }>>
  /** Called when a tenant stands still, before notesctl is answered. If it throws, the command fails. */
  readonly onPause?: (id: string) => void
  readonly onResume?: (id: string) => void
}

const rowsAtFirst = 50
/** Each tenant that serves is written to as often. */
const writeEveryMs = 10

/**
 * Sends its arguments, each ended by a NUL and all of them by a line, and prints the answer; one that begins with `!`
 * is a complaint. A shell starts in a twentieth of the time of Node.
 */
const notesctl = (port: number): string => `#!/bin/bash
exec 3<>/dev/tcp/127.0.0.1/${port} || exit 1
printf '%s\\0' "$@" >&3
echo >&3
answer=$(cat <&3)
case "$answer" in
  !*) echo "\${answer#!}" >&2; exit 1 ;;
  *) printf %s "$answer" ;;
esac
`

export async function openHookedService({ tenants, onPause, onResume }: HookedServiceOptions): Promise<HookedService> {
  const folder = makeFolder()
  const [data, snapshots, ledger, program, config] = [
    'tenants',
    'snapshots',
    'ledger',
    'notesctl',
    'holdfast.yaml',
  ].map((name) => folder.in(name)) as [string, string, string, string, string]
  for (const path of [data, snapshots, ledger]) mkdirSync(path, { mode: 0o700 })
  const ids = Object.keys(tenants)
  const fileOf = (id: string): string => join(data, `${id}.db`)
  /** Further files of the tenant, by the name under which they are attached. */
  const attachedTo = (id: string): readonly (readonly [string, string])[] =>
    Array.from(
      { length: (tenants[id]?.files ?? 1) - 1 },
      (_, at) => [`more${at}`, join(data, `${id}.more${at}.db`)] as const,
    )
  for (const id of ids)
    for (const file of [fileOf(id), ...attachedTo(id).map(([, path]) => path)])
      makeDatabase(file, { rows: rowsAtFirst, wal: tenants[id]?.wal ?? true })

  const open = new Map<string, Database.Database>()
  const acknowledged = new Map<string, number>(ids.map((id) => [id, 0]))
  const actions: string[] = []
  const start = (id: string): void => {
    if (open.has(id)) return
    const database = new Database(fileOf(id))
    for (const [name, path] of attachedTo(id)) database.exec(`ATTACH '${path}' AS ${name}`)
    open.set(id, database)
  }
  const write = (id: string, database: Database.Database): void => {
    for (const name of ['main', ...attachedTo(id).map(([attached]) => attached)])
      database.prepare(`INSERT INTO ${name}.notes(title, body) VALUES(?, ?)`).run('written', 'while it serves')
  }
  const stop = (id: string): void => {
    open.get(id)?.close()
    open.delete(id)
  }
  const obey = ([action = '', ...rest]: readonly string[]): string => {
    const id = rest.at(-1) ?? ''
    if (action === 'tenants')
      return JSON.stringify(
        ids.map((name) => ({
          id: name,
          files: [fileOf(name), ...attachedTo(name).map(([, path]) => path)],
          state: open.has(name) ? 'active' : 'quiesced',
        })),
      )
    actions.push(`${action} ${id}`)
    if (action === 'pause') {
      stop(id)
      onPause?.(id)
    } else {
      onResume?.(id)
      start(id)
    }
    return ''
  }
  const server = createServer((client) => {
    let heard = ''
    client.on('error', () => undefined) // The process that asked may have been killed.
    client.on('data', (bytes) => {
      heard += bytes.toString()
      if (!heard.endsWith('\0\n')) return
      try {
        client.end(obey(heard.slice(0, -2).split('\0')))
      } catch (error) {
        client.end(`!${(error as Error).message}`)
      }
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  for (const id of ids) start(id)
  const writing = setInterval(() => {
    for (const [id, database] of open) {
      database.transaction(() => write(id, database))()
      acknowledged.set(id, (acknowledged.get(id) ?? 0) + 1)
    }
  }, writeEveryMs)

  writeFileSync(program, notesctl((server.address() as AddressInfo).port))
  chmodSync(program, 0o755)
  const hooks = {
    tenants: [program, 'tenants'],
    quiesce: [program, 'pause', '--', '{tenant}'],
    resume: [program, 'resume', '--', '{tenant}'],
    timeout: '10s',
  }
  writeFileSync(
    config,
    JSON.stringify({
      service: { name: 'notes', hooks },
      tenants: { roots: [data] },
      hold: { ttl: '2s' },
      snapshots: { dir: snapshots },
      ledger: { dir: ledger },
    }),
  )

  const stopAll = async (): Promise<void> => {
    clearInterval(writing)
    for (const id of ids) stop(id)
    if (server.listening) await new Promise((closed) => server.close(closed))
  }
  return {
    folder,
    data,
    config,
    snapshots,
    actions,
    paused: () => ids.filter((id) => !open.has(id)),
    stopAndCount: async () => {
      await stopAll()
      return Object.fromEntries(
        ids.map((id) => {
          const database = new Database(fileOf(id), { readonly: true })
          const rows = database.prepare('SELECT count(*) FROM notes').pluck().get() as number
          database.close()
          return [id, rows - rowsAtFirst - (acknowledged.get(id) ?? 0)]
        }),
      )
    },
    async [Symbol.asyncDispose]() {
      await stopAll()
      folder[Symbol.dispose]()
    },
  }
}
