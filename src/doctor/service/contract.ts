/**
 * Tries the admin API's contract (admin-api.yaml) on one tenant, step by step; doctor/musts.ts says which step tries
 * what. The tenant is resumed and seen serving, whatever the service does wrong. If the doctor is killed, the guardian
 * resumes it, or the next run does, or `holdfast resume`.
 */

import type { TenantId } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import { refusedTargets } from '../../runs/begin/refused-targets.ts'
import { targetsOf } from '../../runs/begin/registry.ts'
import { connectWire } from '../../service/connect.ts'
import type { QuiesceAnswer, Service } from '../../service/port.ts'
import { count } from '../../text/count.ts'
import {
  attempt,
  broken,
  fit,
  skipped,
  step,
  tooSlow,
  unfit,
  unfitFor,
  type StepOutcome,
  type DoctorStep,
} from '../steps.ts'
import { DoctorHold, type FirstHold, type ContractTrial, type ApiTrial } from './doctor-hold.ts'
import { tryIdempotencyKeys } from './idempotency-keys.ts'
import { tryLeaseEnd } from './lease-end.ts'
import { tryRefusals } from './refusals.ts'
import { tryFiles, tryWhileQuiesced, type QuiescedTenant } from './while-quiesced.ts'

const phases: readonly {
  readonly about: string
  readonly run: (trial: ApiTrial, first: FirstHold) => Promise<readonly DoctorStep[]>
}[] = [
  { about: 'service: wrong requests', run: tryRefusals },
  { about: 'service: idempotency keys', run: tryIdempotencyKeys },
  { about: 'service: the end of a lease', run: tryLeaseEnd },
]

/**
 * The first hold is like that of a run. The others are short, and come only if the first one was resumed.
 * @throws {Failure} TENANT_UNKNOWN; LEDGER_UNUSABLE and GUARDIAN_LOST before the tenant is paused
 */
export async function tryContract(trial: ContractTrial): Promise<readonly DoctorStep[]> {
  const { service, tenant, settings, signal } = trial
  const { service: way } = settings
  const tenants = await attempt(() => service.tenants(signal))
  if (tenants instanceof Failure)
    return [skipped('service: quiesce and resume', 'the list of tenants could not be read')]
  const listed = tenants.find(({ id }) => id === tenant)
  if (listed === undefined) throw new Failure('TENANT_UNKNOWN', `the service does not list ${JSON.stringify(tenant)}`)
  const [refused] = (
    await refusedTargets(targetsOf([listed]), tenants, { via: service.via, roots: settings.tenants.roots }, signal)
  ).values()
  if (refused !== undefined) return [unfit('service: quiesce', refused)]
  if (way.kind !== 'admin-api') return (await tryFirstHold(trial, listed.files, null)).steps
  await using wire = await connectWire(way, 'configured')
  const wired: ApiTrial = { ...trial, wire, files: listed.files }
  const { steps, first } = await tryFirstHold(trial, listed.files, wired)
  for (const { about, run } of phases) {
    if (first === null) steps.push(skipped(about, 'it was not quiesced'))
    else if (!isResumed(steps)) steps.push(skipped(about, 'it is paused again only where its resume works'))
    else {
      // If a phase fails as a whole, the steps before it are still reported.
      const found = await attempt(() => run(wired, first))
      steps.push(...(found instanceof Failure ? [unfit(about, found)] : found))
    }
  }
  if (!steps.some(({ outcome }) => outcome === 'paused'))
    steps.push(await step('service: serves in the end', () => lookInTheEnd(service, tenant, signal)))
  return steps
}

/** For a slow service the first lease is renewed between the steps, at most so often. */
const renewalsMax = 4

const isResumed = (steps: readonly DoctorStep[]): boolean =>
  steps.some(({ about, outcome }) => about === 'service: resume' && outcome === 'fit') &&
  !steps.some(({ outcome }) => outcome === 'paused')

async function tryFirstHold(
  trial: ContractTrial,
  files: readonly string[],
  wired: ApiTrial | null,
): Promise<{ readonly steps: DoctorStep[]; readonly first: FirstHold | null }> {
  const {
    service,
    ledger,
    tenant,
    settings: {
      hold: { ttlMs, drainTimeoutMs },
    },
    signal,
  } = trial
  const maxHoldMs = ttlMs * renewalsMax
  const held = await DoctorHold.announce(trial, maxHoldMs)
  const { holder } = held
  const startedAt = performance.now()
  const quiesced = await attempt(() =>
    service.quiesce(tenant, { holder, reason: 'contract test', ttlMs, maxHoldMs, drainTimeoutMs }, signal),
  )
  const tookMs = performance.now() - startedAt
  if (quiesced instanceof Failure) return { steps: await endWithoutLease(quiesced, held), first: null }
  const { leaseId, fence } = quiesced
  const steps: DoctorStep[] = []
  const standing: QuiescedTenant = { surelyUntil: startedAt + quiesced.expiresInMs, nested: null }
  try {
    await ledger.append({ kind: 'hold-quiesced', tenant, holder, leaseId, fence })
    steps.push({ about: 'service: quiesce', ...judgeQuiesced(quiesced) })
    if (wired) steps.push(...(await tryWhileQuiesced(wired, quiesced, standing)))
    else
      steps.push(
        await step('service: files while quiesced', () => tryFiles(quiesced, files, trial.settings.tenants.roots)),
      )
  } finally {
    steps.push(await resumeAndLook(trial, quiesced, held, standing))
    const { nested } = standing
    const stillPaused = nested && (await nested.held.end(nested.lease))
    if (stillPaused) steps.push(unfit('service: resume of a nested lease', stillPaused))
  }
  return { steps, first: { quiesced, tookMs } }
}

/** The quiesce failed. If the tenant may be paused all the same, it is resumed. */
async function endWithoutLease(failure: Failure, held: DoctorHold): Promise<DoctorStep[]> {
  const pausedNothing = failure.tenantState === 'untouched' || failure.tenantState === 'active'
  if (pausedNothing) await held.recordEnd('never-began', null)
  const stillPaused = pausedNothing ? null : await held.end(null)
  const failed = unfit('service: quiesce', failure.withTenant('active'))
  return stillPaused === null ? [failed] : [failed, unfit('service: resume', stillPaused)]
}

/** Resumes as a run does. If that fails, the tenant is resumed as after any hold, and waited for until it serves. */
async function resumeAndLook(
  { service, settings: { hold } }: ContractTrial,
  quiesced: QuiesceAnswer,
  held: DoctorHold,
  { surelyUntil }: QuiescedTenant,
): Promise<DoctorStep> {
  const about = 'service: resume'
  const late = service.via === 'admin-api' && performance.now() > surelyUntil
  const resume = await step(about, () => tryResume(service, quiesced))
  if (resume.outcome === 'fit') {
    await held.recordEnd('resumed', null)
    return resume
  }
  const stillPaused = await held.end(quiesced)
  if (stillPaused) return unfit(about, stillPaused)
  if (late) return skipped(about, tooSlow(hold.ttlMs), 'raise hold.ttl')
  // The tenant was seen serving in the end: the contract is broken, but no tenant is paused.
  return { ...resume, next: 'it serves again by now; show the owner of the service this step' }
}

function judgeQuiesced({ openHandles, expiresInMs, files, via }: QuiesceAnswer): StepOutcome {
  if (openHandles > 0) return broken(`it keeps ${count(openHandles, 'handle')} open`)
  if (via === 'admin-api' && (files ?? []).length === 0) return broken('it names no files')
  const relative = (files ?? []).find(({ path }) => !path.startsWith('/'))
  if (relative) return broken(`it names the file ${JSON.stringify(relative.path)}, which is no absolute path`)
  return fit(
    via === 'hooks'
      ? 'the command ended well'
      : `drained, closed, ${count(files?.length ?? 0, 'file')} named, ends in ${expiresInMs} ms`,
  )
}

/** A resume is not interrupted. Each call has its configured deadline. */
const unhurried = new AbortController().signal

async function tryResume(service: Service, quiesced: QuiesceAnswer): Promise<StepOutcome> {
  const resumed = await service.resume(quiesced, unhurried)
  if (service.via === 'hooks') return fit('the command ended well')
  const { state, healthy, lastError } = await service.tenant(quiesced.tenant, unhurried)
  if (state !== 'active') throw new Failure('RESUME_FAILED', `after the resume its state is ${state}`)
  if (!healthy) return broken(`after the resume it is unhealthy: ${lastError ?? 'no reason is given'}`)
  if (resumed.continuous !== true) return broken('it does not say that the quiesce was continuous')
  if (resumed.bootId !== quiesced.bootId) return broken('its boot id changed')
  return fit(`active and healthy, held ${resumed.heldMs ?? '?'} ms, continuous`)
}

async function lookInTheEnd(service: Service, tenant: TenantId, signal: AbortSignal): Promise<StepOutcome> {
  const { state, healthy, lastError } = await service.tenant(tenant, signal)
  if (state !== 'active') return unfitFor(new Failure('RESUME_FAILED', `its state is ${state}`))
  return healthy ? fit('active and healthy') : broken(`it is unhealthy: ${lastError ?? 'no reason is given'}`)
}
