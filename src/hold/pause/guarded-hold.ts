/** What the guardian must know to have the tenants of a run resumed when the run is gone. */
import type { ServiceSettings } from '../../config/settings.ts'
import type { RunId, TenantId } from '../../model/brand.ts'
import type { ServiceWay } from '../../model/service-way.ts'
import type { CommandState } from '../../service/port.ts'

/** Sent once, before the first hold. It contains no token: the token is read from its file. */
export interface ResumeTerms {
  readonly settings: ServiceSettings
  /** How the ledger names the service. */
  readonly way: ServiceWay
  readonly ledgerDir: string
  readonly run: RunId
  /** The run's environment. Commands are started in it. */
  readonly env: Readonly<NodeJS.ProcessEnv>
  /** The mask for new files that the run was started with. Commands are started with it. */
  readonly fileMask: number
}

/** Sent before the service is asked to quiesce the tenant. */
export interface GuardedHold {
  readonly tenant: TenantId
  readonly holder: string
  /** On the monotonic clock, which all processes share: the lease must have ended by itself by then. */
  readonly endsByMs: number
}

export interface AbandonedHold extends GuardedHold {
  readonly latest: CommandState | null
}

/** For the process that resumes what a run left paused. */
export interface ResumeOrder {
  readonly terms: ResumeTerms
  readonly open: readonly AbandonedHold[]
  /** Holders of holds that the run saw end. The ledger may not know it yet. */
  readonly ended: readonly string[]
  /** Whether the process inherits a descriptor of the hold locks. */
  readonly locks: boolean
}
