/**
 * The messages between the agent and the process that examines a chunk, and how a failure travels in them. Each end
 * sends whenever it wants.
 */

import type { Settings } from '../../config/settings.ts'
import { unforeseenFailure } from '../../host/failures/system-failure.ts'
import type { RunId, TenantId } from '../../model/brand.ts'
import { Bug } from '../../model/bug.ts'
import type { FleetPart } from '../../model/event.ts'
import { Failure, type FailureCode } from '../../model/failure.ts'
import type { CheckDepth } from '../../model/result/reading.ts'
import type { Result } from '../../model/result/report.ts'
import type { RowQuestion } from '../compare/rows/row-questions.ts'
import type { SlotRefusal, TakenSlot } from '../pause/slot-permit.ts'
import type { ChunkStop } from './chunk-stop.ts'

export interface ChunkOrder {
  readonly settings: Settings
  /** The run on this machine. */
  readonly local: RunId
  readonly part: FleetPart
  readonly version: string
  readonly tenants: readonly TenantId[]
  readonly depth: CheckDepth
  /** True: after the check of the only tenant its snapshots stay, and questions about their rows are answered. */
  readonly rows: boolean
  /** A slot is good for holds that begin within so many ms. */
  readonly windowMs: number
}

/** Why a chunk was not examined to its end. */
export interface ChunkFailure {
  readonly code: FailureCode | 'BUG'
  readonly message: string
  readonly hint: string
}

export type ToChunk =
  | { readonly kind: 'begin'; readonly order: ChunkOrder }
  /** Answers `done`: files of the run that have a result, as `doneKey` writes them. */
  | { readonly kind: 'done'; readonly files: ReadonlySet<string> }
  /** Answers `take` of this number. */
  | { readonly kind: 'slot'; readonly number: number; readonly answer: TakenSlot | SlotRefusal }
  /** Answers `question`: the next one; null if nothing more is asked. */
  | { readonly kind: 'question'; readonly question: RowQuestion | null }
  /** What is under way comes to its end; no other tenant begins. */
  | { readonly kind: 'stop' }

export type FromChunk =
  /** The run lock is taken, so no earlier process writes results any more: which files have one? */
  | { readonly kind: 'done' }
  | { readonly kind: 'take'; readonly number: number }
  | { readonly kind: 'release'; readonly slot: TakenSlot }
  /** `revised`: it takes the place of one that was sent before. `at` in ms since 1970. */
  | {
      readonly kind: 'result'
      readonly tenant: TenantId
      readonly result: Result
      readonly at: number
      readonly revised: boolean
    }
  | { readonly kind: 'notice'; readonly text: string }
  /** What is asked about rows? */
  | { readonly kind: 'question' }
  /** To the last question. */
  | { readonly kind: 'answer'; readonly answer: object }
  /**
   * The last message. `failure`: what went wrong; null if nothing did. `stopped`: as the agent asked, or because no
   * tenant may be paused for long; tenants may be left then.
   */
  | {
      readonly kind: 'ended'
      readonly notCovered: number
      readonly stopped: boolean
      readonly failure: ChunkFailure | null
    }

/**
 * An interruption by the stop itself is no failure. Any other failure is one, also if the stop had begun before it. A
 * service that does not honour a lock must not be asked for more tenants.
 * @param thrown what stopped the chunk; null if nothing did
 */
export function chunkFailureOf(thrown: unknown, { hasBegun }: Pick<ChunkStop, 'hasBegun'>): ChunkFailure | null {
  if (thrown === null) return null
  const error = unforeseenFailure(thrown)
  if (error instanceof Failure) {
    const { code, message, hint } = error
    return hasBegun && code === 'INTERRUPTED' ? null : { code, message, hint }
  }
  const message = error instanceof Error ? error.message : String(error)
  return { code: 'BUG', message, hint: 'this is a defect in holdfast' }
}

/**
 * Why the rest of a chunk waits for its service; null if it does not.
 * @param failure of the chunk. One that says more than that the service is silent comes first.
 * @param unanswered of a tenant about which the service gave no answer
 */
export function silenceOf(failure: ChunkFailure | null, unanswered: ChunkFailure | null): ChunkFailure | null {
  if (failure === null) return unanswered
  return failure.code === 'ADMIN_UNREACHABLE' ? failure : null
}

export const asError = ({ code, message, hint }: ChunkFailure): Error =>
  code === 'BUG' ? new Bug(message) : new Failure(code, message, { hint })
