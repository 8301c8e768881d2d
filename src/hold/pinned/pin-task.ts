/** What each branch of a pinned snapshot gets and gives (README.md). `take-file.ts` chooses the branch. */
import type { PinEvidence, ProbeAnswer, Proof } from '../../model/result/evidence.ts'
import type { FileHold } from '../file-hold.ts'
import type { LiveLimits } from '../hold-request.ts'
import type { LiveFiles } from '../live/live-files.ts'
import type { PreflightResult } from '../preflight.ts'
import type { NameConflict } from '../seal/conflict.ts'
import type { Probe } from '../seal/probe.ts'
import type { CopyResult } from '../snapshot/copy.ts'
import type { Draft } from '../snapshot/draft.ts'
import type { SuperJournal } from '../snapshot/super-journal.ts'
import type { PinTerm } from './pin-term.ts'

/** What a branch gets. SHARED stands on the database, so that the journal mode stands still. */
export interface PinTask {
  readonly hold: FileHold
  readonly files: LiveFiles
  readonly preflight: PreflightResult
  readonly draft: Draft
  readonly limits: LiveLimits
  readonly probe: Probe
  readonly nameConflict: NameConflict
  /** When SHARED was granted; on the monotonic clock. */
  readonly sharedSinceMs: number
  /** Until then a branch may ask again for a lock; on the monotonic clock. */
  readonly waitUntilMs: number
  /** All work of the branch ends when `term.over` aborts: no lock stands by then. */
  readonly term: PinTerm
}

/**
 * What a branch leaves in the draft, with both proofs. Its locks lie on the descriptors of `files` alone, which the
 * caller closes: so they were registered for release before the branch asked for them.
 */
export interface PinnedCopy {
  readonly pin: Omit<PinEvidence, 'heldMs'>
  readonly probe: { readonly before: ProbeAnswer; readonly after: ProbeAnswer }
  readonly proofs: readonly [Proof, Proof]
  readonly copied: CopyResult
  readonly superJournal: SuperJournal
}
