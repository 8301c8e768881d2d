/** The demo service as a whole: tenants, the gate, faults, load, the admin API and the API of its users. */
import { chmodSync, mkdirSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Gate } from '../../../src/service/gate/index.ts'
import { tenantName } from '../names.ts'
import { startLoad } from './load.ts'
import type { ServiceFaults } from './misbehaviour.ts'
import { createNotesApi } from './notes-api.ts'
import { NotesGate } from './notes-gate.ts'
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
  /** A file for the begin and the end of each pause; null for none. */
  readonly pauses: string | null
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
  const gate = new NotesGate(store, faults, options)
  const currentGate = (): Gate => gate.current

  const admin = createServer(
    falsifyAnswers(
      () => gate.current.handler,
      faults,
      (id) => gate.afterQuiesce(id),
    ),
  )
  await listen(admin, options.socket)
  chmodSync(options.socket, 0o660)
  const api = createNotesApi(currentGate, store)
  await listen(api, { port: options.port, host: '127.0.0.1' })
  const load =
    options.load > 0
      ? startLoad(currentGate, store, {
          tenants: options.loaded ?? store.ids(),
          perSecond: options.load,
          log: join(options.dir, 'acknowledged.log'),
          // No rollback, no message: as a process ends that reads beyond a mapped file.
          onDamage: (tenant) => {
            if (faults.has('crashes', tenant)) process.kill(process.pid, 'SIGKILL')
          },
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
      store.closeAll()
    },
  }
}

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

async function listen(server: Server, where: string | { port: number; host: string }): Promise<void> {
  if (typeof where === 'string') rmSync(where, { force: true })
  server.listen(where)
  await new Promise<void>((resolve, reject) => server.once('listening', resolve).once('error', reject))
}
