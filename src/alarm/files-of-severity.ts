/** The files that a run has seen with one severity. Its memory is bounded. */

import type { AlarmTenant } from './alarm.ts'
import { fileKey, rememberedMax, type TenantKey } from './condition.ts'

interface AlarmFile {
  readonly tenant: AlarmTenant
  readonly key: TenantKey
  readonly said: string
  /** What to do in a crash loop; empty if there is nothing to say. */
  readonly whileStopped: string
  readonly command: string | null
}

export class FilesOfSeverity {
  /** The first files, by their keys. */
  readonly #files = new Map<string, AlarmFile>()
  total = 0

  add(tenant: AlarmTenant, key: TenantKey, said: string, command: string | null, whileStopped = ''): void {
    const file = fileKey(key)
    if (!this.#files.has(file)) this.total++
    if (this.#files.has(file) || this.#files.size < rememberedMax)
      this.#files.set(file, { tenant, key, said, whileStopped, command })
  }

  remove(file: string): void {
    if (this.#files.delete(file) || this.total > this.#files.size) this.total--
  }

  get files(): readonly AlarmFile[] {
    return [...this.#files.values()]
  }
}
