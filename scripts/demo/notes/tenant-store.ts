/** All tenants of the demo service: every *.db in its folder. A bounded number of handles stays open. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { keepsAccounts, openTenantDatabase, type TenantHandle } from './tenant-database.ts'

const handlesMax = 200

interface OpenTenant {
  readonly handle: TenantHandle
  readonly journalMode: string
  readonly keepsAccounts: boolean
}

export class TenantStore {
  readonly #dir: string
  /** The least recently used first. */
  readonly #open = new Map<string, OpenTenant>()
  readonly #journalModes = new Map<string, string>()

  constructor(dir: string) {
    this.#dir = dir
  }

  ids(): string[] {
    return readdirSync(this.#dir)
      .filter((name) => name.endsWith('.db'))
      .map((name) => name.slice(0, -3))
      .sort()
  }

  fileOf(id: string): string {
    return join(this.#dir, `${id}.db`)
  }

  /** More databases of the tenant, in the folder `ID.files`. The service never opens them. */
  furtherFilesOf(id: string): readonly string[] {
    const folder = join(this.#dir, `${id}.files`)
    return existsSync(folder)
      ? readdirSync(folder)
          .filter((name) => name.endsWith('.db'))
          .sort()
          .map((name) => join(folder, name))
      : []
  }

  has(id: string): boolean {
    return !id.includes('/') && !id.includes('\0') && existsSync(this.fileOf(id))
  }

  isOpen(id: string): boolean {
    return this.#open.has(id)
  }

  journalModeOf(id: string): string {
    return this.#journalModes.get(id) ?? 'unknown'
  }

  /** @throws what SQLite throws for a file that it cannot read */
  tenant(id: string): OpenTenant {
    const open = this.#open.get(id) ?? this.#take(id)
    this.#open.delete(id)
    this.#open.set(id, open)
    for (const [oldest] of this.#open) {
      if (this.#open.size <= handlesMax) break
      this.close(oldest)
    }
    return open
  }

  close(id: string): void {
    this.#open.get(id)?.handle.close()
    this.#open.delete(id)
  }

  closeAll(): void {
    for (const id of this.#open.keys()) this.close(id)
  }

  #take(id: string): OpenTenant {
    const handle = openTenantDatabase(this.fileOf(id))
    try {
      const journalMode = String(handle.pragma('journal_mode', { simple: true }))
      this.#journalModes.set(id, journalMode)
      return { handle, journalMode, keepsAccounts: keepsAccounts(handle) }
    } catch (error) {
      handle.close()
      throw error
    }
  }
}
