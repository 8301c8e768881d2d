/** Questions to the ledger's process, and its answers. */

import type { OpenHold } from '../model/event.ts'
import type { KnownFile, LastGood, SchemaOutliers } from '../model/result/last-good.ts'
import type { SampleRound } from '../model/result/sample.ts'
import type { OtherHold, ServiceWay } from '../model/service-way.ts'
import type {
  LocalFleetRun,
  LedgerLine,
  NewestCheck,
  NewestLines,
  PauseTotals,
  QuietFiles,
  RecordedRegistry,
  RecordedRun,
  RecordedSweep,
} from './ledger.ts'
import type { LastGoodRow, LineRow, RoundRow } from './lines/rows.ts'

/** A file, as results are ordered. */
export type FileKey = readonly [tenant: string, path: string]

/** Which quiet files are left out and counted instead: those beyond so many of each kind. See `notableResults`. */
export interface QuietTerms {
  readonly since: number
  readonly now: number
  readonly freshListed: number
  readonly staleListed: number
}

/** `resume` writes too, but leaves a damaged ledger in its place if its open holds cannot be read. */
export type LedgerMode = 'write' | 'read' | 'resume'

export type LedgerQuestion =
  | { readonly ask: 'open'; readonly dir: string; readonly mode: LedgerMode; readonly way: ServiceWay | null }
  | {
      readonly ask: 'append'
      readonly lines: readonly LineRow[]
      readonly lastGood: readonly LastGoodRow[]
      readonly rounds: readonly RoundRow[]
    }
  | { readonly ask: 'open-holds' }
  | { readonly ask: 'other-holds' }
  | { readonly ask: 'last-good'; readonly files: readonly KnownFile[] }
  /** A page of them, after this file in the order of tenant and path. */
  | { readonly ask: 'last-results'; readonly after: FileKey | null; readonly quiet: QuietTerms | null }
  /** Works for about so long. */
  | { readonly ask: 'compact'; readonly workMs: number }
  | { readonly ask: 'schema-outliers' }
  | { readonly ask: 'sample-round'; readonly file: KnownFile }
  | { readonly ask: 'history'; readonly tenant: string | null; readonly limit: number }
  | { readonly ask: 'checks'; readonly tenant: string | null; readonly limit: number }
  | { readonly ask: 'run-lines'; readonly run: string; readonly limit: number }
  | { readonly ask: 'newest-checks'; readonly files: readonly KnownFile[] }
  | { readonly ask: 'last-runs'; readonly limit: number }
  | { readonly ask: 'fleet-runs'; readonly after: number }
  | { readonly ask: 'last-sweep' }
  | { readonly ask: 'pause-totals' }
  | { readonly ask: 'last-registry' }
  | { readonly ask: 'close' }

export type LedgerAnswer = {
  /** Sentences about the ledger itself that are new since the last answer. */
  readonly notices: readonly string[]
  /** True if there may be open holds that the ledger does not know. */
  readonly holdsLost: boolean
} & (
  | { readonly kind: 'done' }
  /** Becomes Failure LEDGER_UNUSABLE. `hint` null: that of the table of failures. */
  | { readonly kind: 'unusable'; readonly message: string; readonly hint: string | null }
  | { readonly kind: 'open-holds'; readonly holds: readonly OpenHold[] }
  | { readonly kind: 'other-holds'; readonly holds: readonly OtherHold[] }
  | { readonly kind: 'last-good'; readonly lastGood: readonly (LastGood | null)[] }
  /** As `unpackResults` reads them. `next`: null after the last page. `quiet`: files of the page that are left out. */
  | {
      readonly kind: 'last-results'
      readonly packed: string
      readonly next: FileKey | null
      readonly quiet: QuietFiles
    }
  | { readonly kind: 'compacted'; readonly more: boolean }
  | { readonly kind: 'sample-round'; readonly round: SampleRound | null }
  | { readonly kind: 'schema-outliers'; readonly found: SchemaOutliers }
  | { readonly kind: 'history'; readonly lines: readonly LedgerLine[] }
  | { readonly kind: 'checks'; readonly newest: NewestLines }
  | { readonly kind: 'run-lines'; readonly newest: NewestLines }
  | { readonly kind: 'newest-checks'; readonly checks: readonly (NewestCheck | null)[] }
  | { readonly kind: 'last-runs'; readonly runs: readonly RecordedRun[] }
  | { readonly kind: 'fleet-runs'; readonly runs: readonly LocalFleetRun[]; readonly next: number | null }
  | { readonly kind: 'last-sweep'; readonly sweep: RecordedSweep | null }
  | { readonly kind: 'pause-totals'; readonly totals: PauseTotals }
  | { readonly kind: 'last-registry'; readonly registry: RecordedRegistry | null }
)

/** An answer without the fields that `ledger-child.ts` adds to each. */
export type AnswerBody = LedgerAnswer extends infer Each
  ? Each extends LedgerAnswer
    ? Omit<Each, 'notices' | 'holdsLost'>
    : never
  : never

/** Every answer is bounded, whatever is asked. */
export const answerMax = {
  openHolds: 10_000,
  lastResults: 250_000,
  lines: 10_000,
  lineBytes: 32_000_000,
  runs: 1000,
} as const
