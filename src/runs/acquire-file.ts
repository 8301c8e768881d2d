/** A snapshot of one file that stays on the disk until the caller disposes of it, and can be checked meanwhile. */

import { recognise } from '../hold/copies/manifest.ts'
import { copyPrivately, type PrivateCopy } from '../hold/copies/private-copy.ts'
import type { FileKind } from '../hold/file-kind.ts'
import { unbounded } from '../hold/hold.ts'
import { systemFailure } from '../host/failures/system-failure.ts'
import type { SnapshotPath } from '../model/brand.ts'
import { Failure } from '../model/failure.ts'
import type { KeptFiles } from '../model/kept-file.ts'
import type { Finding } from '../model/result/finding.ts'
import type { CheckDepth } from '../model/result/reading.ts'
import type { NonEmpty } from '../model/result/verdict.ts'
import type { RunContext } from './begin/run-context.ts'
import type { Target } from './begin/target.ts'
import { examineHeld, withRehearsal } from './confirm/examine-held.ts'
import { addEarlierChecks } from './earlier-checks.ts'
import { examineCopy, notRead, type Examination, type PagesObserver } from './examine.ts'
import { notHeld } from './file-result.ts'
import { holdTargets, type HeldTarget } from './hold-targets.ts'
import { withoutSecondSnapshot } from './weigh-evidence.ts'

export interface AcquiredFile extends AsyncDisposable {
  /** null if there is none, if it is no database, or if its tenant may still be paused. */
  readonly snapshot: { readonly path: SnapshotPath; readonly kept: KeptFiles } | null
  /** Gives a result also where `snapshot` is null. @throws {Failure} INTERRUPTED */
  check(onPages: PagesObserver): Promise<Examination>
}

/** True if the file's own bytes make it a database, or those of its WAL or journal. */
const isDatabase = ({ contents, recoverable }: FileKind): boolean =>
  contents === 'sqlite' || (contents !== 'empty' && recoverable)

/**
 * Takes all files of a tenant in one hold, or one bare file.
 * @returns one for each target, in their order
 * @throws {Failure} INTERRUPTED
 */
export async function acquireByHold(
  targets: NonEmpty<Target>,
  context: RunContext,
  depth: CheckDepth,
  signal: AbortSignal,
): Promise<readonly AcquiredFile[]> {
  const held = await holdTargets(await addEarlierChecks(context.ledger, targets), context, unbounded, signal)
  return held.map((one) => acquiredFileOf(one, context, depth, signal))
}

function acquiredFileOf(
  heldTarget: HeldTarget,
  context: RunContext,
  depth: CheckDepth,
  signal: AbortSignal,
): AcquiredFile {
  const { held } = heldTarget
  const snapshot = held.kind === 'snapshot' ? held.snapshot : null
  return {
    // A tenant that may still be paused is compared with nothing. Its snapshot is checked all the same.
    snapshot:
      held.kind === 'snapshot' && isDatabase(held.file) && held.unconfirmed?.code !== 'RESUME_FAILED'
        ? held.snapshot
        : null,
    check: (onPages) => examineHeld(heldTarget, context, depth, onPages, signal),
    [Symbol.asyncDispose]: async () => snapshot?.[Symbol.asyncDispose](),
  }
}

const noticesOf = ({ otherName }: PrivateCopy): readonly Finding[] =>
  otherName === null
    ? []
    : [
        {
          rule: 'other-names',
          severity: 'notice',
          source: 'census',
          object: { kind: 'file', name: 'file', table: null },
          text:
            `the file has other names (${otherName}); a write-ahead log or ` +
            'a journal beside one of them was not read',
        },
      ]

type CopyContext = Pick<
  RunContext,
  'checker' | 'accept' | 'invariants' | 'sampleShare' | 'ledger' | 'backups' | 'rehearsing' | 'folder' | 'map'
>

/**
 * Copies a file that the user says no program writes. Nothing is held, locked or proven; the evidence is that of the
 * manifest beside it, if there is one. Works on any platform.
 * @param name unique in the snapshot folder
 * @throws {Failure} INTERRUPTED; any other failure becomes the result of the file
 */
export async function acquireCopy(
  target: Target,
  context: CopyContext,
  name: string,
  depth: CheckDepth,
  signal: AbortSignal,
): Promise<AcquiredFile> {
  const { rehearsing, folder, map } = context
  const file = notHeld(target, depth, map)
  try {
    const pulled = await recognise(target.named)
    const copy = await copyPrivately(target.named, folder, name)
    const origin = pulled ? { target: { ...target, tenant: pulled.tenant }, evidence: pulled.evidence } : {}
    return {
      snapshot: isDatabase(copy.kind) ? copy : null,
      check: async (onPages) => {
        const copied = { path: copy.path, kept: copy.kept, file: copy.kind, modifiedMs: copy.modifiedMs }
        const unchecked = { ...file, ...origin, notices: noticesOf(copy) }
        const examined = await examineCopy(unchecked, copied, context, onPages, signal)
        const result = withoutSecondSnapshot(examined.result, pulled?.path ?? target.named)
        const weighed = result === examined.result ? examined : { ...examined, result, read: null }
        return withRehearsal(weighed, copy, rehearsing, signal)
      },
      [Symbol.asyncDispose]: () => copy[Symbol.asyncDispose](),
    }
  } catch (error) {
    const failure = systemFailure(error, { doing: 'copy', path: target.named })
    if (!(failure instanceof Failure) || failure.code === 'INTERRUPTED') throw failure
    return {
      snapshot: null,
      check: () => Promise.resolve(notRead(file, 'failed', failure)),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }
  }
}
