/** The files that a chunk of the fleet is about: it names tenants by id, and the service's list says which files. */

import type { LastResult } from '../../ledger/ledger.ts'
import type { TenantId } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import { targetsOf, type ServiceRegistry } from '../begin/registry.ts'
import type { Target } from '../begin/target.ts'
import { countLeading } from './selection.ts'

export interface ChunkPlan {
  /** In the order in which to examine them. */
  readonly ids: readonly TenantId[]
  /** True for a file that has a result of this run. A tenant is left out only if that is so for all its files. */
  readonly isDone: (tenant: TenantId, path: string) => boolean
  /** False when no other tenant may begin. */
  readonly mayBegin: () => boolean
}

interface SelectedChunk {
  readonly targets: readonly Target[]
  /** So many targets, from the first on, belong to the status tenant. */
  readonly leading: number
  /** Files that were not examined again. */
  readonly done: number
  /** Files of tenants that the service does not list. Each is reported. `path` is empty if none is known. */
  readonly unlisted: readonly { readonly tenant: TenantId; readonly path: string; readonly failure: Failure }[]
}

/** @param lastResults what the ledger knows, to name the files of tenants that are not listed */
export function selectChunk(
  { tenants, source }: Pick<ServiceRegistry, 'tenants' | 'source'>,
  { ids, isDone }: ChunkPlan,
  statusTenant: string | null,
  lastResults: readonly LastResult[],
): SelectedChunk {
  const byId = new Map(tenants.map((tenant) => [tenant.id, tenant]))
  const wanted = new Set(ids)
  // I1.9: monitoring depends on the status tenant.
  const inOrder = [...wanted].toSorted((a, b) => Number(b === statusTenant) - Number(a === statusTenant))
  const perTenant = inOrder.map((id) => targetsOf([byId.get(id) ?? []].flat()))
  const due = perTenant.filter((targets) => !targets.every((target) => isDone(target.tenant ?? nobody, target.named)))
  const unlisted = [...wanted]
    .filter((id) => (byId.get(id)?.files ?? []).length === 0)
    .flatMap((id) =>
      knownFiles(id, lastResults).map((path) => ({ tenant: id, path, failure: whyUnlisted(id, source) })),
    )
    .filter(({ tenant, path }) => !isDone(tenant, path))
  const targets = due.flat()
  return {
    targets,
    leading: countLeading(targets, statusTenant),
    done: perTenant.flat().length - targets.length,
    unlisted,
  }
}

const nobody = '' as TenantId

function knownFiles(id: TenantId, lastResults: readonly LastResult[]): readonly string[] {
  const paths = lastResults.filter(({ tenant }) => tenant === id).map(({ path }) => path)
  return paths.length === 0 ? [''] : paths
}

const whyUnlisted = (id: TenantId, source: ServiceRegistry['source']): Failure =>
  source === 'live'
    ? new Failure('TENANT_GONE', `the service does not list a file of ${JSON.stringify(id)}`)
    : new Failure(
        'REGISTRY_STALE',
        `the service gives no valid list of tenants, and the copy of the last one does not have ${JSON.stringify(id)}`,
      )
