/**
 * Resumes the tenants that a killed run left paused, through the admin API or by command, until each is seen serving.
 * The ledger is written afterwards: one that is full, damaged or lost delays no resume.
 */
import { text } from 'node:stream/consumers'
import PQueue from 'p-queue'
import { HoldLocks } from '../../ledger/run-lock/hold-locks.ts'
import { exitCodes, type ExitCode } from '../../model/exit-code.ts'
import { Failure } from '../../model/failure.ts'
import { connectService } from '../../service/connect.ts'
import type { HoldCommands, Service } from '../../service/port.ts'
import type { AbandonedHold, ResumeOrder } from './guarded-hold.ts'
import { LateLedger } from './late-ledger.ts'
import { resumeUntilSeen, resumeWaitMs, type ResumeOutcome } from './resume.ts'

const inParallelMax = 16
/** The descriptor that the guardian hands on. */
const inheritedLocks = 3

// A signal that stops the run may reach all of its processes: a paused tenant comes first.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) process.on(signal, () => undefined)

void resumeAll().then((code) => process.exit(code))

async function resumeAll(): Promise<ExitCode> {
  const order = JSON.parse(await text(process.stdin)) as ResumeOrder
  const locks = order.locks ? HoldLocks.inherited(inheritedLocks) : null
  await using service = await connectService(order.terms.settings)
  await using ledger = new LateLedger(order.terms)
  const queue = new PQueue({ concurrency: inParallelMax })
  const seen = await queue.addAll(order.open.map((hold) => () => endHold(hold, service, locks, ledger)))
  await ledger.endOthers(order, service)
  return seen.every(Boolean) ? exitCodes.sound : exitCodes.maybePaused
}

/** @returns true if the tenant was seen serving, or if another process resumes it */
async function endHold(
  hold: AbandonedHold,
  service: Service,
  locks: HoldLocks | null,
  ledger: LateLedger,
): Promise<boolean> {
  const { tenant, holder } = hold
  if ((await locks?.takeWithin(holder, resumeWaitMs(hold.endsByMs, service))) === 'refused') return true
  try {
    const { how, resumed } = await resume(hold, service)
    await ledger.write({ kind: 'hold-ended', tenant, holder, how, heldMs: resumed?.heldMs ?? null })
    return true
  } catch (error) {
    const code = error instanceof Failure ? error.code : 'RESUME_FAILED'
    await ledger.write({ kind: 'resume-failed', tenant, holder, code })
    return false
  } finally {
    locks?.release(holder)
  }
}

async function resume({ tenant, holder, endsByMs, latest }: AbandonedHold, service: Service): Promise<ResumeOutcome> {
  const commands: HoldCommands = { holder, latest }
  await service.endEarlierCommands(commands)
  const resumed = latest?.command === 'resume' && latest.state === 'succeeded'
  return resumeUntilSeen({
    service,
    tenant,
    holder,
    endsByMs,
    wasHealthy: false,
    answer: null,
    resumed: resumed ? { heldMs: null, continuous: null, bootId: null, endedBy: 'holder' } : null,
    onRetry: () => undefined, // This process has nowhere to report it; the ledger gets the outcome.
  })
}
