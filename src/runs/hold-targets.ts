/** The first half of an examination: one hold takes a snapshot of each file of a tenant. */

import { hold, type FileRequest, type HoldResult, type HoldBounds, type HoldRequest } from '../hold/hold.ts'
import { draftName } from '../hold/snapshot/draft.ts'
import { monotonicMs } from '../host/clock.ts'
import { invariant } from '../model/bug.ts'
import type { NonEmpty } from '../model/result/verdict.ts'
import type { RunContext } from './begin/run-context.ts'
import type { Target } from './begin/target.ts'
import type { EarlierChecks, TargetWithHistory } from './earlier-checks.ts'

/** A target whose hold has ended. */
export interface HeldTarget {
  readonly target: Target
  readonly held: HoldResult
  /** When its examination began, on the monotonic clock. */
  readonly startedAtMs: number
  readonly earlierChecks: EarlierChecks
}

let drafts = 0

/**
 * @param files all files of one tenant, or one bare file
 * @param special see `HoldRequest`; `anyFile`: a file that is no database is held too
 * @returns each file with its own outcome, in their order
 * @throws {Failure} INTERRUPTED
 */
export async function holdTargets(
  files: NonEmpty<TargetWithHistory>,
  context: RunContext,
  bounds: HoldBounds,
  signal: AbortSignal,
  {
    anyFile = false,
    ...special
  }: Pick<HoldRequest, 'acceptMounted' | 'confirming'> & { readonly anyFile?: boolean } = {},
): Promise<readonly HeldTarget[]> {
  const startedAtMs = monotonicMs()
  const [first, ...more] = files
  invariant(first.target.tenant !== null || more.length === 0, 'bare files are held one by one')
  const request = {
    files: [requestFor(first, context, anyFile), ...more.map((file) => requestFor(file, context, anyFile))] as const,
    roots: context.roots,
    connection: context.connectionOf(first.target),
    settings: { ...context.settings, require: context.levelFor(first.target) },
    folder: context.folder,
    bounds,
    ...special,
  }
  const held = await hold(request, context.holdProcesses, signal)
  return files.map(({ target, earlierChecks }, at) => {
    const outcome = held[at]
    invariant(outcome, 'a hold has an outcome for each file')
    return { target, held: outcome, startedAtMs, earlierChecks }
  })
}

const requestFor = (
  { target, earlierChecks }: TargetWithHistory,
  context: RunContext,
  anyFile: boolean,
): FileRequest => ({
  named: target.named,
  expected: anyFile || (target.tenant !== null && context.listsDatabases) || earlierChecks.hadPages,
  abandonedPauseMs: earlierChecks.abandonedPauseMs,
  name: draftName(drafts++),
  onStep: (step) => context.onStep(target, step),
})
