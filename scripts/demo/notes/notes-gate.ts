/** The gate of the demo service, which misbehaves as `--misbehave` says and can be replaced as by a restart. */
import Database from 'better-sqlite3'
import { createGate, type Gate } from '../../../src/service/gate/index.ts'
import { HiddenHandles } from './hidden-handles.ts'
import type { ServiceFaults } from './misbehaviour.ts'
import { PauseLog } from './pause-log.ts'
import type { TenantStore } from './tenant-store.ts'

export class NotesGate implements AsyncDisposable {
  readonly #store: TenantStore
  readonly #faults: ServiceFaults
  readonly #maxPaused: number
  readonly #pauses: PauseLog
  readonly #hidden: HiddenHandles
  /** Tenants that were open before their pause. */
  readonly #wasOpen = new Set<string>()
  readonly #resumed = new Set<string>()
  #gate: Gate

  /** @param limits `maxPaused`: tenants that may be quiesced at the same time; `pauses`: a file for the pauses */
  constructor(
    store: TenantStore,
    faults: ServiceFaults,
    { maxPaused, pauses }: { readonly maxPaused: number; readonly pauses: string | null },
  ) {
    this.#store = store
    this.#faults = faults
    this.#maxPaused = maxPaused
    this.#pauses = new PauseLog(pauses)
    this.#hidden = new HiddenHandles(faults, store)
    this.#gate = this.#makeGate()
  }

  /** Another one after a restart. */
  get current(): Gate {
    return this.#gate
  }

  /** To be called after the answer to a quiesce was sent. */
  afterQuiesce(id: string): void {
    const delayMs = this.#faults.measure('restarts', id, 0)
    if (delayMs === 0) this.#restart()
    else if (delayMs !== null) setTimeout(() => this.#restart(), delayMs)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#gate[Symbol.asyncDispose]()
    this.#hidden[Symbol.dispose]()
  }

  #makeGate(): Gate {
    return createGate({
      service: 'notes',
      version: '1.0.0',
      sqliteVersion: sqliteVersion(),
      limits: { maxPaused: this.#maxPaused },
      tenants: () => this.#store.ids().map((id) => this.#tenantOf(id)),
      find: (id) => (this.#store.has(id) ? this.#tenantOf(id) : null),
      close: (id) => this.#close(id),
      open: (id) => this.#open(id),
      healthy: (id) => this.#isHealthy(id),
      busy: (id) => {
        this.#startLongJob(id)
        return this.#faults.has('busy', id) ? 'a restore is running' : null
      },
    })
  }

  /** A new gate knows nothing, like a new process. Requests that waited for the old gate continue. */
  #restart(): void {
    const old = this.#gate
    this.#gate = this.#makeGate()
    void old[Symbol.asyncDispose]()
  }

  #tenantOf(id: string): { id: string; files: { path: string; journalMode: string }[] } {
    return {
      id,
      files: [
        { path: this.#store.fileOf(id), journalMode: this.#store.journalModeOf(id) },
        ...this.#store.furtherFilesOf(id).map((path) => ({ path, journalMode: 'wal' })),
      ],
    }
  }

  #close(id: string): { files: { path: string; journalMode: string }[] } {
    if (this.#faults.has('close-fails', id)) throw new Error('a handle is in use')
    if (this.#store.isOpen(id)) this.#wasOpen.add(id)
    this.#hidden.beforeClose(id)
    this.#store.close(id)
    this.#hidden.afterClose(id)
    this.#pauses.begin(id)
    return { files: this.#tenantOf(id).files }
  }

  #open(id: string): void {
    this.#resumed.add(id)
    this.#hidden.release(id)
    // A tenant that was closed before the pause stays closed until a request needs it.
    if (this.#wasOpen.delete(id)) this.#store.tenant(id)
    this.#pauses.end(id)
  }

  #isHealthy(id: string): boolean {
    const isUnhealthy =
      this.#faults.has('unhealthy', id) || (this.#faults.has('unhealthy-after-resume', id) && this.#resumed.has(id))
    if (isUnhealthy) throw new Error('the tenant answers 404')
    const wasIdle = !this.#store.isOpen(id)
    this.#store.tenant(id).handle.prepare('select count(*) from sqlite_schema').get()
    if (wasIdle) this.#store.close(id)
    return true
  }

  #startLongJob(id: string): void {
    const jobMs = this.#faults.measure('long-job', id, 60_000)
    if (jobMs !== null) void this.#gate.run(id, () => new Promise((resolve) => setTimeout(resolve, jobMs).unref()))
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
