/** Reads all pages of the registry. A registry that cannot be read completely is refused (I3.1). */
import { tenantId } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import type { RegisteredTenant, TenantServingState } from '../port.ts'
import { registryBounds, RegistrySize } from '../registry-bounds.ts'
import type { ReadAnswer } from './answers.ts'

interface RegistryPage {
  readonly tenants: readonly {
    readonly id: string
    readonly files: readonly string[]
    readonly state: TenantServingState
  }[]
  readonly next: string | null
}

/** A page as it was read, with its length. */
export type ReadPage = ReadAnswer<RegistryPage> & { readonly bytes: number }

/** @throws {Failure} REGISTRY_STALE, which names the bound if the list exceeds one */
export async function readRegistryPages(
  what: string,
  ask: (after: string | null, bytesMax: number) => Promise<ReadPage>,
): Promise<readonly RegisteredTenant[]> {
  const invalid = (why: string): Failure => new Failure('REGISTRY_STALE', `${what}: ${why}`)
  const within = (passed: string | null): void => {
    if (passed !== null) throw invalid(passed)
  }
  const tenants = new Map<string, RegisteredTenant>()
  const cursors = new Set<string>()
  const size = new RegistrySize()
  for (let after: string | null = null; ;) {
    const page = await ask(after, registryBounds.pageBytesMax)
    if (page.kind === 'misfit') throw invalid(`a page does not fit the contract (${page.why})`)
    for (const { id, files, state } of page.value.tenants) {
      if (tenants.has(id)) throw invalid(`tenant ${JSON.stringify(id)} is listed twice`)
      within(size.addTenant({ files }))
      tenants.set(id, { id: tenantId(id), files, state })
    }
    after = page.value.next
    if (after === null) return [...tenants.values()]
    within(size.addPage(page.bytes))
    if (cursors.has(after)) throw invalid('it repeats a cursor, so its pages never end')
    cursors.add(after)
  }
}
