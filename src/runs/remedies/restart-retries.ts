/**
 * A service in a crash loop is up for a few seconds at a time. A remedy that met a restart is tried again as soon as
 * the service answers, within limits. Then a person stops the service and mends the file.
 */

import { monotonicMs, sleep } from '../../host/clock.ts'
import { Failure } from '../../model/failure.ts'
import type { RemedyOutcome } from '../../model/result/remedy.ts'
import type { Service } from '../../service/port.ts'
import { serviceAnswers } from '../../service/service-answers.ts'
import { humanMs } from '../../text/units.ts'
import type { Target } from '../begin/target.ts'
import { commandsFor, type RemedyCommands } from './plan/commands.ts'
import { outcomeWithFailure } from './remedy-outcome.ts'

/** From the first restart that the run has met to the last attempt. In ms. */
const triedMsMax = 60_000
/** A service that stays away for so long does not restart, or restarts too seldom. In ms. */
export const awayMsMax = 20_000
const askEveryMs = 100
/** Each attempt pauses the tenant. */
const attemptsMax = 12

/** Of one run. */
export class RestartRetries {
  #untilMs: number | null = null
  #attempts = 0

  /**
   * Waits until the service answers.
   * @returns true if another attempt may get through
   */
  async mayTryAgain(service: Service, signal: AbortSignal): Promise<boolean> {
    // Hooks are asked for nothing between two attempts: whether they answer shows only in the next one.
    if (service.via === 'hooks' || ++this.#attempts >= attemptsMax) return false
    const askedAtMs = monotonicMs()
    this.#untilMs ??= askedAtMs + triedMsMax
    const untilMs = Math.min(this.#untilMs, askedAtMs + awayMsMax)
    while (monotonicMs() < untilMs && !signal.aborted) {
      if (await serviceAnswers(service, signal)) return true
      await sleep(askEveryMs, signal).catch(() => undefined) // The signal is looked at above.
    }
    return false
  }
}

/** Nothing was changed, and the service was away, or was restarted in the pause. */
export const metRestart = ({ result: { applied, failure } }: RemedyOutcome): boolean =>
  applied === null &&
  failure !== null &&
  failure.tenantState !== 'maybe-paused' &&
  (failure.code === 'ADMIN_UNREACHABLE' || failure.code === 'LEASE_LOST')

/** Says how to mend the file without the service. @param attempts that were made */
export function withWayOut(
  outcome: RemedyOutcome,
  { tenant, named }: Target,
  mode: 'repair' | 'restore',
  attempts: number,
): RemedyOutcome {
  const { failure, plan } = outcome.result
  if (failure === null || tenant === null) return outcome
  const file = commandsFor({ tenant: null, named }, { method: null, quarantine: null, backups: null })
  const own = commandsFor({ tenant, named }, { method: null, quarantine: null, backups: null })
  const command = mode === 'repair' ? file.repair : restoreOf(file, plan.backup?.id ?? null)
  if (command === null) return outcome
  const tried = attempts === 1 ? '' : `; ${attempts} attempts within ${humanMs(triedMsMax)} met a service that restarts`
  return outcomeWithFailure(
    outcome,
    new Failure(failure.code, `${failure.message}${tried}`, {
      tenant: failure.tenantState,
      hint:
        `if the service crashes again and again, or is down: stop it, mend its file with \`${command}\`, start it, ` +
        `and run \`${own.check}\``,
    }),
  )
}

/** Null if no backup was chosen yet. */
const restoreOf = ({ applyRestore }: RemedyCommands, backup: string | null): string | null =>
  backup === null ? null : applyRestore({ from: backup, before: null, merge: null })
