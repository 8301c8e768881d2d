/** `sweep` and `check --tenant`: the service's tenants through the pipeline, and what is gone by name. */
import type { TenantId } from '../model/brand.ts'
import { unread, unseen, type Depth } from './examine.ts'
import { workThrough, type RunObserver, type RunTotals } from './pipeline.ts'
import { refusedTargets } from './run/refused-targets.ts'
import { readRegistry, pickTenants, targetsOf, type ServiceRegistry } from './run/registry.ts'
import type { Target } from './run/run-context.ts'
import { besidePausedTenant, checksAtOnce, limitsFor, type ServiceRun } from './run/service-run.ts'
import { select, type Selected, type Selecting } from './selection/selection.ts'

export type Selection =
  | { readonly kind: 'tenants'; readonly ids: readonly TenantId[] }
  /** `only`: patterns of ids, null for all. */
  | { readonly kind: 'sweep'; readonly only: readonly string[] | null }

export interface SweepOptions {
  readonly selection: Selection
  readonly depth: Depth
}

export interface WatchingSweep extends RunObserver {
  /** Told of everything that the run is going to come to, before it does. */
  readonly onSelected: (targets: readonly Target[]) => void
}

/**
 * @returns what was covered; each result goes to `watching`
 * @throws {Failure} TENANT_UNKNOWN, REGISTRY_STALE, ADMIN_UNREACHABLE and the like, before any tenant is touched
 */
export async function sweep(
  { settings, service, ledger, crew, signal }: ServiceRun,
  options: SweepOptions,
  watching: WatchingSweep,
): Promise<RunTotals & { readonly selected: number }> {
  const lastResults = await ledger.lastResults()
  const registry = await readRegistry(service, lastResults, signal)
  const { targets, leading } = chooseFrom(registry, options.selection, {
    statusTenant: settings.tenants.statusTenant,
    lastResults,
    now: Date.now(),
  })
  // Only a sweep of everything can say that something is missing.
  const gone = options.selection.kind === 'sweep' && options.selection.only === null ? registry.gone : []
  watching.onSelected([...targets, ...gone.map(({ tenant, path }) => ({ tenant, named: path }))])
  const refused = await refusedTargets(
    targets,
    registry.tenants,
    { via: service.via, roots: settings.tenants.roots },
    signal,
  )
  const isHeld = (target: Target): boolean => !refused.has(target)
  for (const [target, failure] of refused) {
    const result = unread(unseen(target, options.depth, crew.map), 'failed', failure)
    watching.onResult(result)
    if (target.tenant !== null) await ledger.append({ kind: 'checked', tenant: target.tenant, result })
  }
  const limits = await limitsFor(
    crew.folder,
    options.depth,
    settings.hold.maxPaused,
    checksAtOnce(settings),
    besidePausedTenant,
  )
  const worked = await workThrough(
    targets.filter(isHeld),
    crew,
    { ...limits, leading: targets.slice(0, leading).filter(isHeld).length },
    watching,
    signal,
  )
  for (const { tenant, path, failure } of gone) {
    const result = unread(unseen({ tenant, named: path }, options.depth, false), 'inconclusive', failure)
    watching.onResult(result)
    await ledger.append({ kind: 'checked', tenant, result })
  }
  return { ...worked, covered: worked.covered + gone.length + refused.size, selected: targets.length + gone.length }
}

function chooseFrom({ tenants }: ServiceRegistry, selection: Selection, order: Omit<Selecting, 'only'>): Selected {
  switch (selection.kind) {
    case 'tenants':
      return { targets: targetsOf(pickTenants(tenants, selection.ids)), leading: 0 }
    case 'sweep':
      return select(targetsOf(tenants), { ...order, only: selection.only })
  }
}
