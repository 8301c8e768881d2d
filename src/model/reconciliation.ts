/** What `holdfast reconcile` finds when it compares the registry, the files, the backups and the ledger. */

export const reconciliationRules = [
  'open-hold',
  'open-change',
  'claimed-twice',
  'missing-file',
  'outside-roots',
  'tenant-gone',
  'file-gone',
  'unknown-file',
  'companion-without-main',
  'never-checked',
  'no-verified-backup',
  'backup-without-tenant',
] as const
export type ReconciliationRule = (typeof reconciliationRules)[number]

/** Two sources that disagree about one tenant or file. */
export interface SourceDisagreement {
  readonly rule: ReconciliationRule
  readonly tenant: string | null
  readonly path: string | null
  /** One sentence. */
  readonly said: string
  /** The command to type; null if there is none. */
  readonly next: string | null
}

/** What two sources do not agree about yet. `why`: what is under way. */
export interface PendingDisagreement {
  readonly rule: ReconciliationRule
  readonly tenant: string | null
  readonly path: string | null
  readonly why: string
}

/** What was compared. */
export interface ReconciledSources {
  readonly registry: { readonly tenants: number; readonly files: number }
  readonly files: {
    readonly roots: readonly string[]
    readonly folders: number
    /** Mount points below the roots. They were searched too. */
    readonly mounts: readonly string[]
    /** Links that lead out of the roots. They were not followed. */
    readonly links: readonly string[]
  }
  /** null if no backups are configured. */
  readonly backups: { readonly dir: string; readonly files: number } | null
  readonly ledger: { readonly files: number }
}

interface ReconciliationSummary {
  readonly agree: boolean
  /** All of them, also those that are not listed. */
  readonly disagreements: number
  readonly byRule: Readonly<Partial<Record<ReconciliationRule, number>>>
  readonly inFlight: number
  readonly notCompared: number
  readonly exitCode: number
}

/** The document of `holdfast reconcile --json` (reconcile.schema.json). */
export interface ReconciliationReport {
  readonly schema: 'holdfast.reconcile/1'
  readonly tool: { readonly version: string }
  readonly run: {
    readonly id: string
    readonly mode: 'reconcile'
    readonly startedAt: string
    readonly finishedAt: string
    /** `live` or `cached since …`. */
    readonly registry: string
    readonly notices?: readonly string[]
  }
  readonly sources: ReconciledSources
  /** The gravest first; at most 10,000. */
  readonly disagreements: readonly SourceDisagreement[]
  /** At most 10,000. */
  readonly inFlight: readonly PendingDisagreement[]
  /** What could not be compared, and why: then nothing is said about it. */
  readonly notCompared: readonly { readonly what: string; readonly why: string }[]
  readonly summary: ReconciliationSummary
}
