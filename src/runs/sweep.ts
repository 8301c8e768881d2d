/**
 * `sweep`, `check --tenant` and the chunks of a fleet: tenants of the service go through the pipeline, and files that
 * are gone are named.
 */

import type { LastResult } from '../ledger/ledger.ts'
import type { TenantId } from '../model/brand.ts'
import type { Result } from '../model/result/report.ts'
import { refusedTargets } from './begin/refused-targets.ts'
import { readRegistry, pickTenants, targetsOf, type ServiceRegistry } from './begin/registry.ts'
import type { Depth, RunLimits } from './begin/run-context.ts'
import { besidePausedTenant, checksInParallel, limitsFor } from './begin/run-limits.ts'
import { type ServiceRun } from './begin/service-run.ts'
import type { Target } from './begin/target.ts'
import { UnansweredRow } from './begin/unanswered-row.ts'
import { notHeld, unreadResult } from './file-result.ts'
import { runPipeline, type RunObserver, type RunTotals } from './pipeline.ts'
import { selectByPlan, type SelectedTargets } from './selection/select-by-plan.ts'
import { selectChunk, type ChunkPlan } from './selection/select-chunk.ts'
import type { SweepPlan } from './selection/sweep-plan.ts'

type Selection =
  | { readonly kind: 'tenants'; readonly ids: readonly TenantId[] }
  | { readonly kind: 'sweep'; readonly plan: SweepPlan }
  | { readonly kind: 'chunk'; readonly plan: ChunkPlan }

export interface SweepOptions {
  readonly selection: Selection
  readonly depth: Depth
}

export interface SweepObserver extends RunObserver {
  /**
   * Called before the first result, with every target that will have one, and the number of files that are not due.
   */
  readonly onSelected: (targets: readonly Target[], notDue?: number) => void
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
  const { targets, leading, notDue, earlier, unlisted } = await chooseFrom(
    registry,
    options.selection,
    lastResults,
    run,
  )
  // Only a sweep of all tenants can say that one is missing.
  const gone = takesAll(options.selection) ? registry.gone : unlisted
  const unsearched = takesAll(options.selection) ? registry.unsearched : []
  const unknown = [...gone, ...unsearched.map((place) => ({ tenant: null, ...place }))]
  const selected = targets.length + earlier.size + unknown.length
  observer.onSelected([...targets, ...earlier.keys(), ...unknown.map(asTarget)], notDue)
  if (options.selection.kind === 'sweep')
    await ledger.append({ kind: 'sweep-selected', ...options.selection.plan.scope, selected, notDue })
  for (const result of earlier.values()) observer.onResult(result)
  const terms = { via: service.via, roots: settings.tenants.roots }
  const refused = await refusedTargets(targets, registry.tenants, terms, signal)
  for (const [target, failure] of refused)
    await record(target, unreadResult(notHeld(target, options.depth, context.map), 'failed', failure))
  const isHeld = (target: Target): boolean => !refused.has(target)
  const limits = {
    ...(await limitsOfSweep(run, options)),
    leadingTargets: targets.slice(0, leading).filter(isHeld).length,
  }
  const watching: RunObserver = {
    ...observer,
    onResult: (result) => {
      observer.onResult(result)
      unanswered.consider(result)
    },
  }
  const totals = await runPipeline(targets.filter(isHeld), context, limits, watching, signal)
  for (const file of unknown)
    await record(
      asTarget(file),
      unreadResult(notHeld(asTarget(file), options.depth, false), 'inconclusive', file.failure),
    )
  const covered = totals.covered + earlier.size + unknown.length + refused.size
  return { ...totals, covered, selected, registry: registry.source }

  async function record({ tenant }: Target, result: Result): Promise<void> {
    observer.onResult(result)
    // A tenant without a file that is known has nothing to be remembered.
    if (tenant !== null && result.path !== '') await ledger.append({ kind: 'checked', tenant, result })
  }
}

const asTarget = ({ tenant, path }: { readonly tenant: TenantId | null; readonly path: string }): Target => ({
  tenant,
  named: path,
})

const takesAll = (selection: Selection): boolean => selection.kind === 'sweep' && selection.plan.scope.only === null

async function limitsOfSweep({ context, settings }: ServiceRun, options: SweepOptions): Promise<RunLimits> {
  const { depth, selection } = options
  const { maxPaused } = settings.hold
  const limits = await limitsFor(context.folder, depth, maxPaused, checksInParallel(settings), besidePausedTenant)
  if (selection.kind === 'tenants') return limits
  if (selection.kind === 'chunk') return { ...limits, mayBegin: selection.plan.mayBegin }
  const { limit } = selection.plan
  return { ...limits, mayBegin: () => !limit.isOver }
}

async function chooseFrom(
  registry: ServiceRegistry,
  selection: Selection,
  lastResults: readonly LastResult[],
  { settings, ledger, signal, now }: ServiceRun,
): Promise<SelectedTargets & Pick<ReturnType<typeof selectChunk>, 'unlisted'>> {
  const { statusTenant, roots } = settings.tenants
  switch (selection.kind) {
    case 'tenants': {
      const targets = targetsOf(pickTenants(registry, selection.ids))
      return { targets, leading: 0, notDue: 0, earlier: new Map(), unlisted: [] }
    }
    case 'sweep': {
      const terms = { statusTenant, roots, lastResults, now: now() }
      const selected = await selectByPlan(targetsOf(registry.tenants), selection.plan, terms, ledger, signal)
      return { ...selected, unlisted: [] }
    }
    case 'chunk': {
      const { done, ...selected } = selectChunk(registry, selection.plan, statusTenant, lastResults)
      return { ...selected, notDue: done, earlier: new Map() }
    }
  }
}
