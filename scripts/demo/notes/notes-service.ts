/** The demo service as a whole: tenants, the gate, faults, load, the admin API and the API of its users. */
import { chmodSync, mkdirSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { createGate, type Gate } from '../../../src/service/gate/index.ts'
import { tenantName } from '../names.ts'
import { HiddenHandles } from './hidden-handles.ts'
import { startLoad } from './load.ts'
import type { ServiceFaults } from './misbehaviour.ts'
import { createNotesApi } from './notes-api.ts'
import { falsifyAnswers } from './tamper.ts'
import { createTenantDatabase } from './tenant-database.ts'
import { TenantStore } from './tenant-store.ts'

export interface NotesOptions {
  readonly dir: string
  readonly socket: string
  /** This many are made if they do not exist. Other databases in the folder are tenants too. */
  readonly tenants: number
  readonly bytes: number
  /** Transfers a second, of all tenants together. */
  readonly load: number
  /** Tenants that get the load; null: all. */
  readonly loaded: readonly string[] | null
  /** 0: any free port. */
  readonly port: number
  /** Tenants that may be quiesced at the same time. */
  readonly maxPaused: number
  readonly faults: ServiceFaults
}

export interface NotesService extends AsyncDisposable {
  readonly port: number
}

export async function startNotesService(options: NotesOptions): Promise<NotesService> {
  const { faults } = options
  const store = new TenantStore(options.dir)
  mkdirSync(options.dir, { recursive: true })
  prepare(options, store)
  const hidden = new HiddenHandles(faults, store)
  const wasOpen = new Set<string>()
  const resumed = new Set<string>()

  const makeGate = (): Gate =>
    createGate({
      service: 'notes',
      version: '1.0.0',
      sqliteVersion: sqliteVersion(),
      limits: { maxPaused: options.maxPaused },
      tenants: () => store.ids().map((id) => tenantOf(store, id)),
      find: (id) => (store.has(id) ? tenantOf(store, id) : null),
      close: (id) => {
        if (faults.has('close-fails', id)) throw new Error('a handle is in use')
        if (store.isOpen(id)) wasOpen.add(id)
        hidden.beforeClose(id)
        store.close(id)
        hidden.afterClose(id)
        return { files: tenantOf(store, id).files }
      },
      open: (id) => {
        resumed.add(id)
        hidden.release(id)
        // A tenant that was closed before the pause stays closed until a request needs it.
        if (wasOpen.delete(id)) store.tenant(id)
      },
      healthy: (id) => {
        if (faults.has('unhealthy', id) || (faults.has('unhealthy-after-resume', id) && resumed.has(id)))
          throw new Error('the tenant answers 404')
        const wasIdle = !store.isOpen(id)
        store.tenant(id).handle.prepare('select count(*) from sqlite_schema').get()
        if (wasIdle) store.close(id)
        return true
      },
      busy: (id) => {
        startLongJob(id)
        return faults.has('busy', id) ? 'a restore is running' : null
      },
    })

  let gate = makeGate()
  function startLongJob(id: string): void {
    const jobMs = faults.measure('long-job', id, 60_000)
    if (jobMs !== null) void gate.run(id, () => new Promise((resolve) => setTimeout(resolve, jobMs).unref()))
  }
  /** A new gate knows nothing, like a new process. Requests that waited for the old gate continue. */
  const restart = (): void => {
    const old = gate
    gate = makeGate()
    void old[Symbol.asyncDispose]()
  }
  const onQuiesced = (id: string): void => {
    const delayMs = faults.measure('restarts', id, 0)
    if (delayMs === 0) restart()
    else if (delayMs !== null) setTimeout(restart, delayMs)
  }

  const admin = createServer(falsifyAnswers(() => gate.handler, faults, onQuiesced))
  await listen(admin, options.socket)
  chmodSync(options.socket, 0o660)
  const api = createNotesApi(() => gate, store)
  await listen(api, { port: options.port, host: '127.0.0.1' })
  const load =
    options.load > 0
      ? startLoad(() => gate, store, {
          tenants: options.loaded ?? store.ids(),
          perSecond: options.load,
          log: join(options.dir, 'acknowledged.log'),
        })
      : null

  return {
    port: (api.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      load?.[Symbol.dispose]()
      await gate[Symbol.asyncDispose]()
      for (const server of [admin, api]) {
        server.close()
        server.closeAllConnections()
      }
      hidden[Symbol.dispose]()
      store.closeAll()
    },
  }
}

const tenantOf = (store: TenantStore, id: string): { id: string; files: { path: string; journalMode: string }[] } => ({
  id,
  files: [
    { path: store.fileOf(id), journalMode: store.journalModeOf(id) },
    ...store.furtherFilesOf(id).map((path) => ({ path, journalMode: 'wal' })),
  ],
})

/** Every third tenant has a rollback journal, every second one has full-text search, page sizes differ. */
function prepare({ dir, tenants, bytes }: NotesOptions, store: TenantStore): void {
  for (let at = 0; at < tenants; at++) {
    const id = tenantName(at)
    if (store.has(id)) continue
    createTenantDatabase(join(dir, `${id}.db`), {
      wal: at % 3 !== 2,
      fts: at % 2 === 0,
      bytes,
      pageSize: at % 4 === 3 ? 8_192 : 4_096,
    }).close()
  }
}

function sqliteVersion(): string {
  const database = new Database(':memory:')
  try {
    return database.prepare('select sqlite_version()').pluck().get() as string
  } finally {
    database.close()
  }
}

async function listen(server: Server, where: string | { port: number; host: string }): Promise<void> {
  if (typeof where === 'string') rmSync(where, { force: true })
  server.listen(where)
  await new Promise<void>((resolve, reject) => server.once('listening', resolve).once('error', reject))
}
