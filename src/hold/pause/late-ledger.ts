import { monotonicMs } from '../../host/clock.ts'
/**
 * The ledger of a run that was killed, for the lines that are still owed to it. Opened when the first of them is there;
 * where it cannot be had, the lines are lost.
 */
import { inspectFolder } from '../../ledger/folder.ts'
import { openLedger, type Ledger } from '../../ledger/ledger.ts'
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

  /** A line about a hold, unless the ledger knows already that it ended. */
  async write(event: Extract<Event, { readonly kind: 'hold-ended' | 'resume-failed' }>): Promise<void> {
    await this.#use(async (ledger) => {
      if ((await ledger.openHolds()).some(({ holder }) => holder === event.holder)) await ledger.append(event)
    })
  }

  /**
   * Ends what else the ledger calls open of this run: tenants that were announced and never asked for, and holds that
   * the run saw end and had not written down. The guardian hears of a hold before the service is asked, so nobody else
   * stands still.
   */
  async endOthers({ terms, open, ended }: ResumeOrder, service: Service): Promise<void> {
    const known = new Set(open.map(({ holder }) => holder))
    await this.#use(async (ledger) => {
      const others = (await ledger.openHolds()).filter(({ run, holder }) => run === terms.run && !known.has(holder))
      await Promise.all(
        others.map(async (hold) => {
          const { tenant, holder } = hold
          const how = ended.includes(holder) ? 'resumed' : await howItStands(hold, service)
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

  /** A ledger that is gone is not begun anew: nobody would know of the runs before. */
  async #open(): Promise<Ledger | null> {
    const { ledgerDir, run, way } = this.#terms
    return (await inspectFolder(ledgerDir)) === 'empty' ? null : openLedger(ledgerDir, run, way)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ledger = await this.#opened?.catch(() => null)
    await ledger?.[Symbol.asyncDispose]()
  }
}

/** A look costs nothing where there are leases. By hooks it would be a resume of a tenant that was never paused. */
async function howItStands(hold: OpenHold, service: Service): Promise<ResumeOutcome['how'] | null> {
  const { tenant, holder, leaseId, fence } = hold
  if (service.via === 'hooks') return 'never-began'
  const answer = leaseId === null ? null : { leaseId, fence }
  const ending: ResumeRequest = {
    service,
    tenant,
    holder,
    answer,
    endsByMs: monotonicMs(),
    wasHealthy: false,
    resumed: null,
  }
  return resumeUntilSeen(ending).then(
    ({ how }) => how,
    (error: unknown) => {
      if (!(error instanceof Failure)) throw error
      return null // It stays open for the next run.
    },
  )
}
