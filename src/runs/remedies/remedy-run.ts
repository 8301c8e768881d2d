/** What a run of remedies works with. */

import type { OriginalsLocation } from '../../hold/change/change-types.ts'
import type { ChangeId, RunId } from '../../model/brand.ts'
import type { ChangeMethod, PlannedRemedy, RemedyOutcome } from '../../model/result/remedy.ts'
import type { AccountLocation } from '../../repair/account/account-draft.ts'
import type { RunContext } from '../begin/run-context.ts'
import type { Target } from '../begin/target.ts'
import type { ProgressObserver } from '../progress-tracker.ts'
import type { CheckedFile } from './checked-group.ts'
import type { RemedyCommands } from './plan/commands.ts'
import type { TriedRemedy } from './plan/tried-remedy.ts'
import type { RestartRetries } from './restart-retries.ts'

export interface RemedyRun {
  readonly id: RunId
  /** Of holdfast. */
  readonly version: string
  readonly mode: 'repair' | 'restore'
  readonly context: RunContext
  /** True if the live set may be changed. */
  readonly apply: boolean
  /** Null: as the file needs it. */
  readonly method: ChangeMethod | null
  /** How long to wait for a service that restarts. */
  readonly retries: RestartRetries
  readonly commandsFor: (target: Target) => RemedyCommands
  /** Tries the remedy on a copy. */
  readonly tryOn: (file: CheckedFile, signal: AbortSignal) => Promise<TriedRemedy>
  /** Called before a change, with a plan that the ledger has of the target. */
  readonly onPlanned: (target: Target, planned: PlannedRemedy) => void
  /** Called once, when the run begins to wait for a service that is away. `msMax`: for so long at most. */
  readonly onAway: (target: Target, msMax: number) => void
  /** Where the originals of this target are kept. */
  readonly placeOf: (target: Target) => Promise<OriginalsLocation>
  /** Where the account of a change goes. */
  readonly accountPlaceOf: (target: Target, change: ChangeId) => Promise<AccountLocation>
}

export interface RemedyObserver extends ProgressObserver, Pick<RemedyRun, 'onPlanned' | 'onAway'> {
  /** Called before the first outcome. */
  readonly onSelected: (targets: readonly Target[]) => void
  readonly onOutcome: (outcome: RemedyOutcome) => void
}
