/** Handles that the service keeps but does not report, as a careless connection pool or a forgotten job does. */
import { closeSync, openSync } from 'node:fs'
import Database from 'better-sqlite3'
import type { ServiceFaults } from './misbehaviour.ts'
import type { TenantStore } from './tenant-store.ts'

export class HiddenHandles implements Disposable {
  readonly #faults: ServiceFaults
  readonly #store: TenantStore
  readonly #handles = new Map<string, Database.Database>()
  readonly #descriptors = new Map<string, number>()
  readonly #timers = new Map<string, NodeJS.Timeout>()

  constructor(faults: ServiceFaults, store: TenantStore) {
    this.#faults = faults
    this.#store = store
  }

  /** To be called before the service closes its handles. */
  beforeClose(tenant: string): void {
    const file = this.#store.fileOf(tenant)
    if (this.#faults.has('keeps-writing', tenant)) this.#keep(tenant, file, (handle) => this.#writeOn(tenant, handle))
    else if (this.#faults.has('keeps-handles', tenant)) this.#keep(tenant, file, () => {})
  }

  /** To be called after the service has closed its handles. */
  afterClose(tenant: string): void {
    const file = this.#store.fileOf(tenant)
    if (this.#faults.has('keeps-shm-open', tenant)) this.#descriptors.set(tenant, openSync(`${file}-shm`, 'a+'))
    const delayMs = this.#faults.measure('writes-once', tenant, 5)
    if (delayMs !== null)
      this.#timers.set(
        tenant,
        setTimeout(() => writeOnce(file), delayMs),
      )
  }

  release(tenant: string): void {
    clearTimeout(this.#timers.get(tenant))
    this.#timers.delete(tenant)
    this.#handles.get(tenant)?.close()
    this.#handles.delete(tenant)
    const descriptor = this.#descriptors.get(tenant)
    if (descriptor !== undefined) closeSync(descriptor)
    this.#descriptors.delete(tenant)
  }

  [Symbol.dispose](): void {
    for (const tenant of new Set([...this.#handles.keys(), ...this.#descriptors.keys(), ...this.#timers.keys()]))
      this.release(tenant)
  }

  #keep(tenant: string, file: string, use: (handle: Database.Database) => void): void {
    this.release(tenant)
    const handle = new Database(file, { timeout: 0 })
    handle.prepare('select count(*) from sqlite_schema').get()
    this.#handles.set(tenant, handle)
    use(handle)
  }

  #writeOn(tenant: string, handle: Database.Database): void {
    this.#timers.set(
      tenant,
      setInterval(() => tryWrite(handle), 2),
    )
  }
}

/** Writes one row of notes. Errors of SQLite are ignored: a lock may refuse it, and such a job simply tries again. */
function tryWrite(handle: Database.Database): void {
  try {
    handle.prepare("insert into notes (title, body, at) values ('hidden', 'written while quiesced', 0)").run()
  } catch (error) {
    if (!(error instanceof Database.SqliteError)) throw error
  }
}

function writeOnce(file: string): void {
  try {
    const handle = new Database(file, { timeout: 0 })
    tryWrite(handle)
    handle.close()
  } catch (error) {
    if (!(error instanceof Database.SqliteError)) throw error
  }
}
