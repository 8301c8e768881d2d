/** A service with the real gate and real databases in the test's own process, and a configuration that reaches it. */
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import type { Server } from 'node:http'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { createGate, type Gate, type GateOptions } from '../../../src/service/gate/index.ts'
import { makeDatabase, makeFolder, type Folder } from './folder.ts'

export interface TestService extends AsyncDisposable {
  readonly folder: Folder
  /** Where the tenants' files are: the only root. */
  readonly data: string
  readonly config: string
  readonly socket: string
  readonly snapshots: string
  readonly ledger: string
  readonly gate: Gate
  /** How often each tenant was closed and opened again. */
  readonly actions: string[]
  /** Stops answering, as a service that died. */
  vanish(): void
  /** Closes all databases, as a service that died. */
  close(): void
}

export interface TestServiceOptions {
  /**
   * Tenants and the path, or the paths, that the service names for them; those under `data` are made unless they are
   * there, and kept open. Default: acme and bolt.
   */
  readonly tenants?: (data: string) => Readonly<Record<string, string | readonly string[]>>
  /** Called when the gate closes a tenant, before the answer. */
  readonly onClose?: (id: string) => void | Promise<void>
  /** Called when the gate resumes a tenant, before its file is opened. */
  readonly onOpen?: (id: string) => void
  readonly healthy?: (id: string) => boolean
  /** Whether the service lists the tenant. */
  readonly isListed?: (id: string) => boolean
  readonly token?: string
  readonly limits?: GateOptions['limits']
  /** Merged over the sections of the configuration. */
  readonly settings?: Readonly<Record<string, object>>
}

/** The same with tenants of one file each, that these functions make. */
export const openServiceOf = (
  tenants: Readonly<Record<string, (path: string) => string>>,
  more: Omit<TestServiceOptions, 'tenants'> = {},
): Promise<TestService> =>
  openService({
    ...more,
    tenants: (data) =>
      Object.fromEntries(Object.entries(tenants).map(([id, make]) => [id, make(join(data, `${id}.db`))])),
  })

export async function openService(options: TestServiceOptions = {}): Promise<TestService> {
  const folder = makeFolder()
  const [data, snapshots, ledger, socket, config] = [
    'tenants',
    'snapshots',
    'ledger',
    'admin.sock',
    'holdfast.yaml',
  ].map((name) => folder.in(name)) as [string, string, string, string, string]
  for (const path of [data, snapshots, ledger]) mkdirSync(path, { mode: 0o700 })
  const named = options.tenants?.(data) ?? { acme: join(data, 'acme.db'), bolt: join(data, 'bolt.db') }
  const tenants: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
    Object.entries(named).map(([id, paths]) => [id, typeof paths === 'string' ? [paths] : paths]),
  )
  const databases = new Map<string, readonly Database.Database[]>()
  const filesOf = (id: string): readonly string[] => (tenants[id] ?? []).filter((path) => path.startsWith(`${data}/`))
  const close = (id: string): void => {
    for (const database of databases.get(id) ?? []) database.close()
    databases.delete(id)
  }
  const open = (id: string): void => {
    const opened = filesOf(id).map((path) => new Database(path))
    databases.set(id, opened)
    // Opens the file: SQLite itself would wait for the first statement.
    for (const database of opened) database.pragma('user_version')
  }
  const actions: string[] = []
  const gate = createGate({
    service: 'test',
    version: '1',
    sqliteVersion: '3.54.1',
    ...(options.token === undefined ? {} : { token: options.token }),
    ...(options.healthy === undefined ? {} : { healthy: options.healthy }),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    tenants: () =>
      Object.entries(tenants)
        .filter(([id]) => options.isListed?.(id) ?? true)
        .map(([id, files]) => ({ id, files })),
    close: async (id) => {
      actions.push(`close ${id}`)
      close(id)
      await options.onClose?.(id)
    },
    open: (id) => {
      actions.push(`open ${id}`)
      options.onOpen?.(id)
      open(id)
    },
  })
  for (const id of Object.keys(tenants)) {
    for (const path of filesOf(id)) if (!existsSync(path)) makeDatabase(path, { wal: true })
    open(id)
  }
  let server: Server | null = await gate.listen(socket)
  const sections = {
    service: { name: 'test', admin: `unix:${socket}` },
    tenants: { roots: [data] },
    hold: { ttl: '10s' },
    snapshots: { dir: snapshots },
    ledger: { dir: ledger },
  }
  const merged = Object.fromEntries(
    Object.entries({ ...options.settings, ...sections }).map(([key, section]) => [
      key,
      Array.isArray(section) ? section : { ...section, ...options.settings?.[key] },
    ]),
  )
  writeFileSync(config, JSON.stringify(merged, null, 2)) // JSON is YAML.
  chmodSync(config, 0o600)
  const vanish = (): void => {
    server?.close()
    server?.closeAllConnections()
    server = null
  }
  return {
    folder,
    data,
    config,
    socket,
    snapshots,
    ledger,
    gate,
    actions,
    vanish,
    close: () => {
      for (const id of databases.keys()) close(id)
    },
    async [Symbol.asyncDispose]() {
      await gate[Symbol.asyncDispose]()
      vanish()
      for (const id of databases.keys()) close(id)
      folder[Symbol.dispose]()
    },
  }
}
