/**
 * Bounds for a service's list of tenants, from the admin API or from a hook. A longer list is refused: a service that
 * invents tenants without end must not take the memory of its machine.
 */
import type { RegisteredTenant } from './port.ts'

const MiB = 1 << 20

export const registryBounds = {
  tenantsMax: 1_000_000,
  filesMax: 1_000_000,
  pagesMax: 100_000,
  pageBytesMax: 16 * MiB,
  bytesMax: 128 * MiB,
  msMax: 600_000,
} as const

export const idLettersMax = 4_096

/** Counts the list as it grows. */
export class RegistrySize {
  readonly #startedAtMs = performance.now()
  #tenants = 0
  #files = 0
  #pages = 0
  #bytes = 0

  /** Counts a page of `bytes`. @returns a sentence about the bound that is exceeded; null if none is */
  addPage(bytes: number): string | null {
    this.#pages++
    this.#bytes += bytes
    const { bytesMax, pagesMax, msMax } = registryBounds
    if (this.#bytes > bytesMax) return `it has more than ${bytesMax} bytes`
    if (this.#pages > pagesMax) return `it has more than ${pagesMax} pages`
    const isLate = performance.now() - this.#startedAtMs > msMax
    return isLate ? `its pages took more than ${msMax / 1000} s, and there are more` : null
  }

  /** Counts a tenant. @returns as `addPage` */
  addTenant({ files }: Pick<RegisteredTenant, 'files'>): string | null {
    this.#tenants++
    this.#files += files.length
    const { tenantsMax, filesMax } = registryBounds
    if (this.#tenants > tenantsMax) return `it has more than ${tenantsMax} tenants`
    return this.#files > filesMax ? `it has more than ${filesMax} files` : null
  }
}
