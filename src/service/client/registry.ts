/** All pages of the registry. A registry that cannot be read wholly is no registry (I3.1): there are no partial answers. */
import { tenantId } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import type { RegisteredTenant, TenantServing } from '../port.ts'
import type { Read } from './answers.ts'

const pageBytesMax = 16_777_216
const pagesMax = 100_000
const tenantsMax = 10_000_000

interface Page {
  readonly tenants: readonly { readonly id: string; readonly files: readonly string[]; readonly state: TenantServing }[]
  readonly next: string | null
}

/** @throws {Failure} REGISTRY_STALE */
export async function readRegistry(what: string, ask: (after: string | null, bytesMax: number) => Promise<Read<Page>>): Promise<readonly RegisteredTenant[]> {
  const invalid = (why: string): Failure => new Failure('REGISTRY_STALE', `${what}: ${why}`)
  const tenants = new Map<string, RegisteredTenant>()
  const cursors = new Set<string>()
  for (let after: string | null = null; ;) {
    const page = await ask(after, pageBytesMax)
    if (page.kind === 'misfit') throw invalid(`a page does not fit the contract (${page.why})`)
    for (const { id, files, state } of page.value.tenants) {
      if (tenants.has(id)) throw invalid(`tenant ${JSON.stringify(id)} is listed twice`)
      tenants.set(id, { id: tenantId(id), files, state })
    }
    after = page.value.next
    if (after === null) return [...tenants.values()]
    if (cursors.has(after)) throw invalid('it repeats a cursor, so its pages never end')
    cursors.add(after)
    if (cursors.size > pagesMax || tenants.size > tenantsMax) throw invalid(`it has more than ${pagesMax} pages or ${tenantsMax} tenants`)
  }
}
