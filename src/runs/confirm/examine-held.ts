/** The second half of an examination: a snapshot is checked, confirmed where it must be, and rehearsed on. */

import { unbounded } from '../../hold/hold.ts'
import { sleep } from '../../host/clock.ts'
import { invariant } from '../../model/bug.ts'
import type { Evidence, LiveSetPart } from '../../model/result/evidence.ts'
import type { CheckDepth } from '../../model/result/reading.ts'
import type { RunContext } from '../begin/run-context.ts'
import { examineCopy, notRead, type ExaminedCopy, type Examination, type PagesObserver } from '../examine.ts'
import type { UncheckedFile } from '../file-result.ts'
import { holdTargets, type HeldTarget } from '../hold-targets.ts'
import { withWayAround } from '../notices/in-use.ts'
import { rehearseRemedy } from '../remedies/rehearse-remedy.ts'
import { withStandingDamage, withUnconfirmed } from '../weigh-evidence.ts'
import { weighSecondSnapshot } from './second-snapshot.ts'

/**
 * Checks the snapshot of a hold, or says why there is none. The caller deletes the snapshot.
 * @throws {Failure} INTERRUPTED, LEDGER_UNUSABLE
 */
export async function examineHeld(
  heldTarget: HeldTarget,
  context: RunContext,
  depth: CheckDepth,
  onPages: PagesObserver,
  signal: AbortSignal,
): Promise<Examination> {
  const { held } = heldTarget
  const checked = await checkHeld(heldTarget, context, depth, onPages, signal)
  if (held.kind !== 'snapshot') return checked
  const confirmed = needsSecond(checked)
    ? weighSecondSnapshot(checked, await examineAgain(heldTarget, context, depth, onPages, signal))
    : checked
  const rehearsed = await withRehearsal(confirmed, held.snapshot, context.rehearsing, signal)
  const result = withStandingDamage(rehearsed.result, heldTarget.earlierChecks.standingDamage)
  const examined = { ...rehearsed, result, lastGood: result.verdict === 'sound' ? rehearsed.lastGood : null }
  await held.written
  if (held.unconfirmed === null) return examined
  return {
    result: withUnconfirmed(examined.result, held.unconfirmed),
    lastGood: null,
    round: null,
    failure: held.unconfirmed,
    read: null,
  }
}

async function checkHeld(
  { target, held, startedAtMs, earlierChecks }: HeldTarget,
  context: RunContext,
  depth: CheckDepth,
  onPages: PagesObserver,
  signal: AbortSignal,
): Promise<Examination> {
  const { evidence, timings } = held.record
  const { map } = context
  const file: UncheckedFile = { target, evidence, timings, startedAtMs, depth, map, earlierChecks, notices: [] }
  switch (held.kind) {
    case 'refused':
      return notRead(file, 'failed', withWayAround(held.failure, target, context))
    case 'undecided':
      return notRead(file, 'inconclusive', withWayAround(held.failure, target, context))
    case 'snapshot': {
      const { path, kept } = held.snapshot
      const copy = { path, kept, file: held.file, modifiedMs: modifiedIn(evidence) }
      return examineCopy(file, copy, context, onPages, signal)
    }
  }
}

/** A violated rule of the application is no damage of the file: a program without locks does not make one. */
const needsSecond = ({ result: { verdict, damage, evidence } }: Examination): boolean =>
  evidence.level === 'pinned' && verdict === 'damaged' && damage !== 'none'

/** A program that writes without locks has gone on to another place by then. */
const secondAfterMs = 1_000

/** Takes and checks a second snapshot, by a hold of its own, and deletes it. */
async function examineAgain(
  { target, earlierChecks }: HeldTarget,
  context: RunContext,
  depth: CheckDepth,
  onPages: PagesObserver,
  signal: AbortSignal,
): Promise<Examination> {
  await sleep(secondAfterMs, signal)
  const [second] = await holdTargets([{ target, earlierChecks }], context, unbounded, signal, { confirming: true })
  invariant(second, 'a hold has an outcome for each file')
  try {
    return await checkHeld(second, { ...context, map: false }, depth, onPages, signal)
  } finally {
    if (second.held.kind === 'snapshot') await second.held.snapshot[Symbol.asyncDispose]()
  }
}

/** Tries the remedy of a copy that was checked. @throws {Failure} INTERRUPTED */
export async function withRehearsal(
  examined: Examination,
  { path, kept }: Pick<ExaminedCopy, 'path' | 'kept'>,
  terms: RunContext['rehearsing'],
  signal: AbortSignal,
): Promise<Examination> {
  if (examined.read === null) return examined
  const snapshot = { path, kept, ...examined.read }
  return { ...examined, result: await rehearseRemedy(examined.result, snapshot, terms, signal) }
}

const modifiedIn = ({ proofs }: Evidence): ReadonlyMap<LiveSetPart, number> =>
  new Map((proofs[0]?.files ?? []).map(({ part, mtimeNs }) => [part, Number(BigInt(mtimeNs) / 1_000_000n)]))
