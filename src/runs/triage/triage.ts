/**
 * `triage`: finds the tenant that makes the service crash (I1.6). What can be known without a pause decides the order.
 * A fast pass over all files comes first, then a deep one in the same order. Each culprit is reported when it is found.
 */

import { monotonicMs } from '../../host/clock.ts'
import type { LastResult } from '../../ledger/ledger.ts'
import type { TenantId } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import { orFailure } from '../../model/or-failure.ts'
import type { Result } from '../../model/result/report.ts'
import type { RegisteredTenant } from '../../service/port.ts'
import { answersMsMax, serviceAnswers } from '../../service/service-answers.ts'
import { refusedTargets } from '../begin/refused-targets.ts'
import { readRegistry, targetsOf, type ServiceRegistry } from '../begin/registry.ts'
import type { Depth, RunContext, RunLimits } from '../begin/run-context.ts'
import { besidePausedTenant, checksInParallel, limitsFor } from '../begin/run-limits.ts'
import { type ServiceRun } from '../begin/service-run.ts'
import type { Target } from '../begin/target.ts'
import { notHeld, unreadResult } from '../file-result.ts'
import type { RunTotals } from '../pipeline.ts'
import { matchesId, requireMatches } from '../selection/id-pattern.ts'
import { crashTime } from './gather/crash-time.ts'
import { lookAtFiles, unseenFile } from './gather/file-facts.ts'
import { addNamed, askForComplaints } from './gather/service-words.ts'
import { WaitBudget, type PassTools } from './pass.ts'
import { passes, type PassesObserver } from './passes.ts'
import { orderBySuspicion, type Suspect } from './suspicion.ts'

export interface TriageOptions {
  /** Patterns of ids; null for all. */
  readonly only: readonly string[] | null
  /** `quick`: the fast pass alone. */
  readonly depth: Depth
  /** True to stop at the first culprit. */
  readonly first: boolean
  /** What the one who asked for the triage says, such as monit. Untrusted. */
  readonly said: readonly { readonly by: string; readonly text: string }[]
}

export interface TriageTotals extends RunTotals {
  readonly selected: number
}

/** What is gathered before the first pause takes so long at most, whatever hangs. In ms. */
const gatherMsMax = 1_500
/** A service that restarts is waited for so long, all waits together. In ms. */
const waitMsMax = 60_000
/** The list of tenants is asked for again so long, if there is no copy of it. In ms. */
const registryMsMax = 20_000

/** @throws {Failure} TENANT_UNKNOWN, REGISTRY_STALE, ADMIN_UNREACHABLE and the like, before any tenant is paused */
export async function triage(
  run: ServiceRun,
  { only, depth, first, said }: TriageOptions,
  observer: PassesObserver,
): Promise<TriageTotals> {
  const { settings, service, ledger, context, signal } = run
  const lastResults = await ledger.lastResults()
  const registry = await registryOf(run, lastResults)
  const { statusTenant } = settings.tenants
  const targets = targetsOf(chosenTenants(registry.tenants, only))
  const suspects = await orderTargets(run, targets, registry.tenants, lastResults, said)
  observer.onSelected(suspects.map(({ target }) => target))
  observer.onOrder(suspects)
  const terms = { via: service.via, roots: settings.tenants.roots }
  const refused = await refusedTargets(targets, registry.tenants, terms, signal)
  for (const { target } of suspects) {
    const failure = refused.get(target)
    if (failure === undefined || target.tenant === null) continue
    const result = unreadResult(notHeld(target, depth, context.map), 'failed', failure)
    observer.onResult(result)
    await ledger.append({ kind: 'checked', tenant: target.tenant, result })
  }
  const held = suspects.filter(({ target }) => !refused.has(target))
  const totals = await passes(
    held,
    {
      depth,
      first,
      statusTenant,
      limitsOf: (of) => limitsOfTriage(run, of),
      meansNow: meansOf(run),
      waitBudget: new WaitBudget(waitMsMax),
      signal,
    },
    observer,
  )
  return { ...totals, covered: totals.covered + refused.size, selected: targets.length }
}

/** A service in a crash loop gives its list between two crashes, or there is a copy of it. */
async function registryOf(run: ServiceRun, lastResults: readonly LastResult[]): Promise<ServiceRegistry> {
  const waitBudget = new WaitBudget(registryMsMax)
  for (;;) {
    const registry = await orFailure(readRegistry(run, lastResults))
    if (!(registry instanceof Failure)) return registry
    const mayAnswer = registry.code === 'ADMIN_UNREACHABLE' || registry.code === 'SERVICE_BUSY'
    if (!mayAnswer || waitBudget.isExhausted || run.signal.aborted) throw registry
    await waitBudget.wait(run.signal)
  }
}

function chosenTenants(
  tenants: readonly RegisteredTenant[],
  only: readonly string[] | null,
): readonly RegisteredTenant[] {
  if (only === null) return tenants
  requireMatches(only, new Set(tenants.map(({ id }) => id)))
  return tenants.filter(({ id }) => only.some((pattern) => matchesId(id, pattern)))
}

async function orderTargets(
  { settings, service, signal, now }: ServiceRun,
  targets: readonly Target[],
  tenants: readonly RegisteredTenant[],
  lastResults: readonly LastResult[],
  saidByOthers: TriageOptions['said'],
): Promise<readonly Suspect[]> {
  const ids = [...new Set(targets.flatMap(({ tenant }) => tenant ?? []))]
  const serves = await serviceAnswers(service, signal)
  const [said, files, crashedAt] = await Promise.all([
    serves ? askForComplaints(service, ids, gatherMsMax, signal) : new Map<TenantId, string>(),
    lookAtFiles(targets, gatherMsMax, serves),
    crashTime(settings.service, serves, now()),
  ])
  const fromService = [...said.values()].map((text) => ({ by: 'the service', text }))
  const named = addNamed(said, [...saidByOthers, ...fromService], new Set(tenants.map(({ id }) => id)))
  const last = new Map(lastResults.map((result) => [keyOf(result.tenant, result.path), result]))
  return orderBySuspicion(
    targets.map((target) => ({
      target,
      file: files.get(target) ?? unseenFile,
      last: last.get(keyOf(target.tenant, target.named)) ?? null,
      said: target.tenant === null ? null : (named.get(target.tenant) ?? null),
    })),
    { now: now(), crashedAt, hasLedger: true, statusTenant: settings.tenants.statusTenant },
  )
}

/** A service that hangs costs the whole time of a question, so it is not asked again before so many ms. */
const askAgainMs = 5_000

/**
 * While no process of the service answers, no process pauses a tenant, and none needs to: a file that is sealed is open
 * nowhere. The seal must then be the whole proof, whatever `hold.require` allows (README.md).
 */
function meansOf({ context, service, signal }: ServiceRun): () => Promise<PassTools> {
  const withoutService: RunContext = { ...context, connectionOf: () => null, levelFor: () => 'sealed' }
  let hangsUntilMs = 0
  return async () => {
    const askedAtMs = monotonicMs()
    if (askedAtMs < hangsUntilMs) return { context: withoutService, mayRecover: false }
    const serves = await serviceAnswers(service, signal)
    const endedAtMs = monotonicMs()
    const hangs = !serves && endedAtMs - askedAtMs >= answersMsMax
    if (hangs) hangsUntilMs = endedAtMs + askAgainMs
    return { context: serves ? context : withoutService, mayRecover: !hangs }
  }
}

const limitsOfTriage = ({ context, settings }: ServiceRun, depth: Depth): Promise<RunLimits> =>
  limitsFor(context.folder, depth, settings.hold.maxPaused, checksInParallel(settings), besidePausedTenant)

const keyOf = (tenant: Result['tenant'], path: string): string => JSON.stringify([tenant, path])
