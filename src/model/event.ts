/** Ledger events: append-only, written before and after each deed. The state of a hold is a fold over them. */
import type { TenantId } from './brand.ts'
import type { FailureCode } from './failure.ts'
import type { Result, SelectedFile } from './result/report.ts'

/** What stands open after a crash. Times are ms since 1970 by our wall clock: they outlive the process. */
export interface OpenHold {
  readonly holder: string
  readonly run: string
  readonly tenant: TenantId
  readonly askedAt: number
  /** From here on the service's lease must have ended by itself. */
  readonly endsBy: number
  /** null until the service's answer was seen. */
  readonly leaseId: string | null
  readonly fence: number | null
}

/**
 * `tenant-gone`: the service knows neither the tenant nor a lease of this holder any more. `seen-serving`: a person named the tenant, and it was seen serving,
 * though the hold had been asked for in another way.
 */
export type HoldEnd = 'resumed' | 'expired' | 'never-began' | 'service-restarted' | 'tenant-gone' | 'seen-serving'

export type Event =
  | { readonly kind: 'run-started'; readonly mode: string; readonly version: string; readonly argv: readonly string[] }
  /**
   * `whole`: it was a sweep of everything at full depth. `notCovered`: files that it selected and did not come to;
   * older lines do not name them.
   */
  | {
      readonly kind: 'run-finished'
      readonly exitCode: number
      readonly selected: number
      readonly covered: number
      readonly whole: boolean
      readonly notCovered?: readonly SelectedFile[]
    }
  /** Before the quiesce request. `holder` is unique per hold. */
  | { readonly kind: 'hold-asked'; readonly tenant: TenantId; readonly holder: string; readonly endsBy: number }
  | {
      readonly kind: 'hold-quiesced'
      readonly tenant: TenantId
      readonly holder: string
      readonly leaseId: string
      readonly fence: number | null
    }
  /**
   * `heldMs` by the service's clock, `pauseMs` by the run's; older lines have no `pauseMs`. The tenant was *seen*
   * serving, was never paused, or is no more: only this ends a hold.
   */
  | {
      readonly kind: 'hold-ended'
      readonly tenant: TenantId
      readonly holder: string
      readonly how: HoldEnd
      readonly heldMs: number | null
      readonly pauseMs?: number | null
    }
  /** The resume was not confirmed and the tenant was not seen serving. The hold stays open. */
  | { readonly kind: 'resume-failed'; readonly tenant: TenantId; readonly holder: string; readonly code: FailureCode }
  | { readonly kind: 'checked'; readonly tenant: TenantId; readonly result: Result }

/** Folds one event over the holds that stand open, keyed by holder. Pure. */
export function advance(
  open: ReadonlyMap<string, OpenHold>,
  event: Event,
  at: number,
  run: string,
): ReadonlyMap<string, OpenHold> {
  switch (event.kind) {
    case 'hold-asked':
      return new Map(open).set(event.holder, {
        holder: event.holder,
        run,
        tenant: event.tenant,
        askedAt: at,
        endsBy: event.endsBy,
        leaseId: null,
        fence: null,
      })
    case 'hold-quiesced': {
      const hold = open.get(event.holder)
      return hold ? new Map(open).set(event.holder, { ...hold, leaseId: event.leaseId, fence: event.fence }) : open
    }
    case 'hold-ended': {
      const rest = new Map(open)
      rest.delete(event.holder)
      return rest
    }
    case 'run-started':
    case 'run-finished':
    case 'resume-failed':
    case 'checked':
      return open
  }
}
