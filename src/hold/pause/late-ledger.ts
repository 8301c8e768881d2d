/**
 * The ledger of a run that was killed, for the lines that the run could not write. It is opened with the first of them.
 * If it cannot be opened, the lines are lost.
 */
import { monotonicMs } from '../../host/clock.ts'
import { inspectFolder } from '../../ledger/folder.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import { openLedger } from '../../ledger/open-ledger.ts'
import type { Event, OpenHold } from '../../model/event.ts'
import { Failure } from '../../model/failure.ts'
import type { Service } from '../../service/port.ts'
import type { ResumeOrder, ResumeTerms } from './guarded-hold.ts'
import { resumeUntilSeen, type ResumeRequest, type ResumeOutcome } from './resume.ts'

export class LateLedger implements AsyncDisposable {
  readonly #terms: ResumeTerms
  #opened: Promise<Ledger | null> | null = null

  constructor(terms: ResumeTerms) {
    this.#terms = terms
  }

  /** Writes a line about a hold, unless the ledger knows already that the hold ended. */
  async write(event: Extract<Event, { readonly kind: 'hold-ended' | 'resume-failed' }>): Promise<void> {
    await this.#use(async (ledger) => {
      if ((await ledger.openHolds()).some(({ holder }) => holder === event.holder)) await ledger.append(event)
    })
  }

  /**
   * Ends the other holds of this run that the ledger calls open. They are intents for which the service was never
   * asked, and holds that the run saw end but had not written down. No other tenant is paused, because the guardian
   * hears of a hold before the service is asked.
   */
  async endOthers({ terms, open, ended }: ResumeOrder, service: Service): Promise<void> {
    const known = new Set(open.map(({ holder }) => holder))
    await this.#use(async (ledger) => {
      const others = (await ledger.openHolds()).filter(({ run, holder }) => run === terms.run && !known.has(holder))
      await Promise.all(
        others.map(async (hold) => {
          const { tenant, holder } = hold
          const how = ended.includes(holder) ? 'resumed' : await howItEnds(hold, service)
          if (how !== null) await ledger.append({ kind: 'hold-ended', tenant, holder, how, heldMs: null })
        }),
      )
    })
  }

  async #use(work: (ledger: Ledger) => Promise<void>): Promise<void> {
    try {
      const ledger = await (this.#opened ??= this.#open())
      if (ledger) await work(ledger)
    } catch (error) {
      if (!(error instanceof Failure)) throw error
    }
  }

  /** A ledger that is gone is not begun anew: it would hide that the runs before are lost. */
  async #open(): Promise<Ledger | null> {
    const { ledgerDir, run, way } = this.#terms
    return (await inspectFolder(ledgerDir)) === 'empty' ? null : openLedger(ledgerDir, run, way)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ledger = await this.#opened?.catch(() => null)
    await ledger?.[Symbol.asyncDispose]()
  }
}

/** With hooks nothing is asked: it would be a resume command for a tenant that was never paused. */
async function howItEnds(hold: OpenHold, service: Service): Promise<ResumeOutcome['how'] | null> {
  const { tenant, holder, leaseId, fence } = hold
  if (service.via === 'hooks') return 'never-began'
  const answer = leaseId === null ? null : { leaseId, fence }
  const request: ResumeRequest = {
    service,
    tenant,
    holder,
    answer,
    endsByMs: monotonicMs(),
    wasHealthy: false,
    resumed: null,
    onRetry: () => undefined, // This process has nowhere to report it.
  }
  return resumeUntilSeen(request).then(
    ({ how }) => how,
    (error: unknown) => {
      if (!(error instanceof Failure)) throw error
      return null // It stays open for the next run.
    },
  )
}
