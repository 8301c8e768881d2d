/** What the guardian must know to have a run's tenants resumed when that run is gone. */
import type { ServiceSettings } from '../../config/settings.ts'
import type { RunId, TenantId } from '../../model/brand.ts'
import type { ServiceWay } from '../../model/service-way.ts'
import type { CommandState } from '../../service/port.ts'

/** Told once, before the first hold. A token is not among it: it is read from its file. */
export interface ResumeTerms {
  readonly settings: ServiceSettings
  /** How the ledger calls it. */
  readonly way: ServiceWay
  readonly ledgerDir: string
  readonly run: RunId
  /** The run's environment: commands are started in it. */
  readonly env: Readonly<NodeJS.ProcessEnv>
  /** The mask for new files that the run was started with: so are commands. */
  readonly fileMask: number
}

/** Told before the service is asked to keep the tenant still. */
export interface GuardedHold {
  readonly tenant: TenantId
  readonly holder: string
  /** On the monotonic clock, which all processes share: from then on the lease must have ended by itself. */
  readonly endsByMs: number
}

export interface AbandonedHold extends GuardedHold {
  readonly news: CommandState | null
}

/** For the process that resumes what a run left open. */
export interface ResumeOrder {
  readonly terms: ResumeTerms
  readonly open: readonly AbandonedHold[]
  /** Holders of holds that the run saw end: the ledger may not know it yet. */
  readonly ended: readonly string[]
  /** Is a descriptor of the locks inherited? */
  readonly locks: boolean
}
