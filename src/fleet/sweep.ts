/** `sweep` and `check --tenant`: tenants of the service go through the pipeline, and files that are gone are named. */

import type { TenantId } from '../model/brand.ts'
import type { Result } from '../model/result/report.ts'
import { notHeld, unreadResult } from './file-result.ts'
import { workThrough, type RunObserver, type RunTotals } from './pipeline.ts'
import { refusedTargets } from './run/refused-targets.ts'
import { readRegistry, pickTenants, targetsOf, type ServiceRegistry } from './run/registry.ts'
import type { Depth, RunLimits } from './run/run-context.ts'
import { besidePausedTenant, checksInParallel, limitsFor, type ServiceRun } from './run/service-run.ts'
import type { Target } from './run/target.ts'
import { UnansweredRow } from './run/unanswered.ts'
import { select, type SelectedTargets, type SelectionCriteria } from './selection/selection.ts'

type Selection =
  | { readonly kind: 'tenants'; readonly ids: readonly TenantId[] }
  /** `only`: patterns of ids; null for all. */
  | { readonly kind: 'sweep'; readonly only: readonly string[] | null }

export interface SweepOptions {
  readonly selection: Selection
  readonly depth: Depth
}

export interface SweepObserver extends RunObserver {
  /** Called before the first result, with every target that will have one. */
  readonly onSelected: (targets: readonly Target[]) => void
}

export interface SweepTotals extends RunTotals {
  readonly selected: number
  readonly registry: ServiceRegistry['source']
}

/**
 * Each result goes to the observer and to the ledger.
 * @throws {Failure} TENANT_UNKNOWN, REGISTRY_STALE, ADMIN_UNREACHABLE and the like, before any tenant is paused
 */
export async function sweep(run: ServiceRun, options: SweepOptions, observer: SweepObserver): Promise<SweepTotals> {
  const { settings, service, ledger, context } = run
  const lastResults = await ledger.lastResults()
  const registry = await readRegistry(run, lastResults)
  const unanswered = new UnansweredRow()
  const signal = registry.source === 'live' ? run.signal : AbortSignal.any([run.signal, unanswered.signal])
  const { targets, leading } = chooseFrom(registry, options.selection, {
    statusTenant: settings.tenants.statusTenant,
    lastResults,
    now: Date.now(),
  })
  // Only a sweep of all tenants can say that one is missing.
  const gone = options.selection.kind === 'sweep' && options.selection.only === null ? registry.gone : []
  observer.onSelected([...targets, ...gone.map(({ tenant, path }) => ({ tenant, named: path }))])
  const terms = { via: service.via, roots: settings.tenants.roots }
  const refused = await refusedTargets(targets, registry.tenants, terms, signal)
  for (const [target, failure] of refused)
    await record(target, unreadResult(notHeld(target, options.depth, context.map), 'failed', failure))
  const isHeld = (target: Target): boolean => !refused.has(target)
  const limits = {
    ...(await limitsOfSweep(run, options.depth)),
    leading: targets.slice(0, leading).filter(isHeld).length,
  }
  const watching: RunObserver = {
    ...observer,
    onResult: (result) => {
      observer.onResult(result)
      unanswered.consider(result)
    },
  }
  const totals = await workThrough(targets.filter(isHeld), context, limits, watching, signal)
  for (const { tenant, path, failure } of gone) {
    const target = { tenant, named: path }
    await record(target, unreadResult(notHeld(target, options.depth, false), 'inconclusive', failure))
  }
  return {
    ...totals,
    covered: totals.covered + gone.length + refused.size,
    selected: targets.length + gone.length,
    registry: registry.source,
  }

  async function record({ tenant }: Target, result: Result): Promise<void> {
    observer.onResult(result)
    if (tenant !== null) await ledger.append({ kind: 'checked', tenant, result })
  }
}

const limitsOfSweep = ({ context, settings }: ServiceRun, depth: Depth): Promise<RunLimits> =>
  limitsFor(context.folder, depth, settings.hold.maxPaused, checksInParallel(settings), besidePausedTenant)

function chooseFrom(
  registry: ServiceRegistry,
  selection: Selection,
  order: Omit<SelectionCriteria, 'only'>,
): SelectedTargets {
  switch (selection.kind) {
    case 'tenants':
      return { targets: targetsOf(pickTenants(registry, selection.ids)), leading: 0 }
    case 'sweep':
      return select(targetsOf(registry.tenants), { ...order, only: selection.only })
  }
}
