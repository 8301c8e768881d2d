/**
 * The registry of tenants in pages. A page never repeats or skips a tenant that is there all the time, whatever is
 * added or removed between pages.
 */

import { Problem } from './http/problem.ts'
import type { GateOptions, GateTenant } from './options.ts'

const pageTenants = 1_000
/**
 * A list is kept this long for the pages after its first. Reading a million tenants a thousand times would burden the
 * service.
 */
const listingMsMax = 10_000

export interface Page {
  readonly tenants: readonly GateTenant[]
  readonly next: string | null
}

export class Registry {
  readonly #options: GateOptions
  #listing: { readonly tenants: readonly GateTenant[]; readonly forget: NodeJS.Timeout } | null = null

  constructor(options: GateOptions) {
    this.#options = options
  }

  /** @throws {Problem} tenant-unknown */
  async find(id: string): Promise<GateTenant> {
    const found = this.#options.find ? await this.#options.find(id) : await this.#search(id)
    if (!found) throw new Problem('tenant-unknown', 'the registry has no tenant of this id')
    return found
  }

  /** The cursor is the last id of the previous page, so it is still valid when the list is read again. */
  async page(after: string | null): Promise<Page> {
    const last = after === null ? null : decodeCursor(after)
    const tenants = last === null ? await this.#list() : (this.#listing?.tenants ?? (await this.#list()))
    const start = last === null ? 0 : firstBehind(tenants, last)
    const page = tenants.slice(start, start + pageTenants)
    const end = page.at(-1)
    return { tenants: page, next: end && start + pageTenants < tenants.length ? encodeCursor(end.id) : null }
  }

  async #search(id: string): Promise<GateTenant | undefined> {
    for await (const tenant of await this.#options.tenants()) if (tenant.id === id) return tenant
    return undefined
  }

  async #list(): Promise<readonly GateTenant[]> {
    const tenants: GateTenant[] = []
    for await (const tenant of await this.#options.tenants()) tenants.push(tenant)
    tenants.sort((a, b) => (a.id < b.id ? -1 : 1))
    if (this.#listing) clearTimeout(this.#listing.forget)
    this.#listing = {
      tenants,
      forget: setTimeout(() => {
        this.#listing = null
      }, listingMsMax).unref(),
    }
    return tenants
  }
}

function firstBehind(tenants: readonly GateTenant[], id: string): number {
  let low = 0
  let high = tenants.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((tenants[middle] as GateTenant).id <= id) low = middle + 1
    else high = middle
  }
  return low
}

const encodeCursor = (id: string): string => Buffer.from(id, 'utf16le').toString('base64url')

function decodeCursor(cursor: string): string {
  const bytes = Buffer.from(cursor, 'base64url')
  if (bytes.length === 0 || bytes.length % 2 !== 0 || bytes.toString('base64url') !== cursor)
    throw new Problem('invalid-request', '`after` is not a cursor of this service')
  return bytes.toString('utf16le')
}
