/** Events of the ledger: append-only, written before and after each action. The state of a hold is a fold over them. */

import type { ChangeId, IncidentId, TenantId } from './brand.ts'
import type { FailureCode } from './failure.ts'
import type { CheckDepth } from './result/reading.ts'
import type { ChangeMethod, RemedyKind } from './result/remedy.ts'
import type { Result, SelectedFile } from './result/report.ts'

/** A hold that has not ended, as after a crash. Times are ms since 1970 by our wall clock: they outlive the process. */
export interface OpenHold {
  readonly holder: string
  readonly run: string
  readonly tenant: TenantId
  readonly askedAt: number
  /** At this time the lease of the service has ended by itself. */
  readonly endsBy: number
  /** null until the service has answered. */
  readonly leaseId: string | null
  readonly fence: number | null
}

/**
 * Where a list of tenants is from. `since`: when the service last gave a valid list, in ms since 1970 by our clock;
 * null if no copy of it can be used. `code` and `why`: the failure for which it gave none now.
 */
export type RegistrySource =
  | {
      readonly source: 'live'
      readonly since: number
      /** Places that the list leaves out, because they could not be searched; left out if there are none. */
      readonly unsearched?: { readonly places: number; readonly first: string }
    }
  | { readonly source: 'cached'; readonly since: number; readonly code: FailureCode; readonly why: string }
  | { readonly source: 'refused'; readonly since: number | null; readonly code: FailureCode; readonly why: string }

/**
 * `tenant-gone`: the service no longer knows the tenant or a lease of this holder. `seen-serving`: a person named the
 * tenant and it was seen serving, although the hold was asked for in another way.
 */
export type HoldEnd = 'resumed' | 'expired' | 'never-began' | 'service-restarted' | 'tenant-gone' | 'seen-serving'

/** Who asked for a triage that works in the background. Text of monit is untrusted; it is printable and bounded. */
export interface TriageRequest {
  readonly id: string
  readonly by: 'command' | 'monit'
  readonly monit: {
    readonly service: string
    readonly event: string
    readonly description: string
    readonly date: string
    readonly host: string
  } | null
}

/** The part of a run of the fleet that a run on this machine does. */
export interface FleetPart {
  /** The run of the fleet. */
  readonly run: string
  /** The Monday of the week in which it began, as `2026-11-23`. */
  readonly week: string
  readonly chunk: number
  /** Grows with each run on this machine for the same run of the fleet. */
  readonly attempt: number
}

/** How old the backups of the tenants are. */
export interface BackupSurvey {
  /**
   * Among the newest verified backups of all files, the oldest: when its content was last seen on the live file, in ms
   * since 1970. Null if there is no backup.
   */
  readonly oldestAt: number | null
  /** The tenant of that backup. */
  readonly tenant: TenantId | null
  /** Files of tenants that were found sound and have no verified backup. */
  readonly missing: number
}

/** What a sweep takes. */
export interface SweepScope {
  readonly since: number
  readonly depth: CheckDepth
  readonly only: readonly string[] | null
}

export type Event =
  /**
   * `incident`: the one that the run belongs to; left out without one. `request`: see `TriageRequest`. `fleet`: left
   * out for a run that a person or a timer of this machine began.
   */
  | {
      readonly kind: 'run-started'
      readonly mode: string
      readonly version: string
      readonly argv: readonly string[]
      readonly incident?: IncidentId
      readonly request?: TriageRequest
      readonly fleet?: FleetPart
    }
  /**
   * Before the first pause of a sweep. `since`: the beginning of the sweep, in ms since 1970; for one that goes on
   * where another stopped, the beginning of that one. `only`: patterns of ids; null for all tenants. `notDue`: as in
   * `run-finished`.
   */
  | ({ readonly kind: 'sweep-selected'; readonly selected: number; readonly notDue: number } & SweepScope)
  /**
   * `whole`: it was a sweep of all tenants at full depth. `notCovered`: files that it selected and did not reach; older
   * lines do not list them. `notDue`: files that a sweep left out because an earlier check of them still counts; older
   * lines have none. `harm`: the sign of harm that stopped it; left out without one.
   */
  | {
      readonly kind: 'run-finished'
      readonly exitCode: number
      readonly selected: number
      readonly covered: number
      readonly whole: boolean
      readonly notCovered?: readonly SelectedFile[]
      /** Left out without a folder of backups, and by runs that are no sweep of all tenants. */
      readonly backups?: BackupSurvey
      readonly notDue?: number
      readonly harm?: FailureCode
    }
  /**
   * Which list of tenants the run works with: that of the service (`live`), or the copy of it (`cached`). `refused`:
   * none, because the copy is too old or there is none. The newest of these lines says how the registry is.
   */
  | ({ readonly kind: 'registry-read' } & RegistrySource)
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
   * The tenant was *seen* serving, was never paused, or no longer exists: only this event ends a hold. `heldMs` is by
   * the clock of the service, `pauseMs` by the clock of the run; older lines have no `pauseMs`.
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
  /** A remedy came out sound on a copy, and was not applied. Digests are SHA-256, in lower-case hex. */
  | {
      readonly kind: 'remedy-planned'
      readonly tenant: TenantId
      readonly path: string
      readonly plan: ChangeId
      readonly remedy: RemedyKind
      /** Of the file with its WAL and its journal written back. */
      readonly before: string
      /** Of the file that would take its place. */
      readonly after: string
    }
  /** Before the first name of the live set changes. The record in the quarantine folder was written before. */
  | {
      readonly kind: 'change-begun'
      readonly tenant: TenantId
      readonly path: string
      readonly change: ChangeId
      readonly remedy: RemedyKind | 'undo'
      readonly method: ChangeMethod
    }
  | {
      readonly kind: 'change-ended'
      readonly tenant: TenantId
      readonly path: string
      readonly change: ChangeId
      readonly how: 'applied' | 'rolled-back' | 'undone'
    }

/** The open holds, keyed by holder, after one more event. */
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
    case 'sweep-selected':
    case 'run-finished':
    case 'registry-read':
    case 'resume-failed':
    case 'checked':
    case 'remedy-planned':
    case 'change-begun':
    case 'change-ended':
      return open
  }
}
