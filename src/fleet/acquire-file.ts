import { recognise } from '../hold/copies/manifest.ts'
import { copyPrivately, type PrivateCopy } from '../hold/copies/private-copy.ts'
import type { FileKind } from '../hold/file-kind.ts'
import { unbounded } from '../hold/hold.ts'
/** A file taken for a while: its snapshot lies on the disk until it is disposed of, and can be checked meanwhile. */
import { systemFailure } from '../host/failures/system-failure.ts'
import type { SnapshotPath } from '../model/brand.ts'
import { Failure } from '../model/failure.ts'
import type { KeptFiles } from '../model/kept.ts'
import type { Finding } from '../model/result/finding.ts'
import type { NonEmpty } from '../model/result/verdict.ts'
import { recall } from './earlier-checks.ts'
import {
  checkHeld,
  conclude,
  holdTargets,
  unreadFor,
  unseen,
  type Depth,
  type Examined,
  type HeldTarget,
  type OnPages,
} from './examine.ts'
import type { RunContext, Target } from './run/run-context.ts'

export interface AcquiredFile extends AsyncDisposable {
  /** null where there is none, or it is no database. */
  readonly snapshot: { readonly path: SnapshotPath; readonly kept: KeptFiles } | null
  /** Says what it is; also of a file of which there is no snapshot. @throws {Failure} INTERRUPTED */
  check(onPages: OnPages): Promise<Examined>
}

/** By its own bytes, or by those of its WAL or journal. */
const isDatabase = ({ contents, recoverable }: FileKind): boolean =>
  contents === 'sqlite' || (contents !== 'empty' && recoverable)

/**
 * Takes all files of a tenant through one hold, or one bare file.
 * @returns one for each target, in their order
 * @throws {Failure} INTERRUPTED
 */
export async function acquireByHold(
  targets: NonEmpty<Target>,
  crew: RunContext,
  depth: Depth,
  signal: AbortSignal,
): Promise<readonly AcquiredFile[]> {
  const held = await holdTargets(await recall(crew.ledger, targets), crew, unbounded, signal)
  return held.map((one) => takenFrom(one, crew, depth, signal))
}

function takenFrom(heldTarget: HeldTarget, crew: RunContext, depth: Depth, signal: AbortSignal): AcquiredFile {
  const { held } = heldTarget
  const snapshot = held.kind === 'snapshot' ? held.snapshot : null
  return {
    // Nothing goes on with a tenant that may stand still; what its snapshot holds is still said.
    snapshot:
      held.kind === 'snapshot' && isDatabase(held.file) && held.unproven?.code !== 'RESUME_FAILED'
        ? held.snapshot
        : null,
    check: (onPages) => checkHeld(heldTarget, crew, depth, onPages, signal),
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

/**
 * Takes a private copy as it is: nothing is held, locked or proven, unless a manifest beside it says that it once was.
 * Works on any platform.
 */
export async function acquireCopy(
  target: Target,
  { checker, accept, folder, map }: Pick<RunContext, 'checker' | 'accept' | 'folder' | 'map'>,
  name: string,
  depth: Depth,
  signal: AbortSignal,
): Promise<AcquiredFile> {
  const seen = unseen(target, depth, map)
  try {
    const known = await recognise(target.named)
    const copy = await copyPrivately(target.named, folder, name)
    const origin = known ? { target: { ...target, tenant: known.tenant }, evidence: known.evidence } : {}
    return {
      snapshot: isDatabase(copy.kind) ? copy : null,
      check: (onPages) => {
        const copied = { path: copy.path, kept: copy.kept, file: copy.kind, modifiedMs: copy.modifiedMs }
        return conclude({ ...seen, ...origin, notices: noticesOf(copy) }, copied, { checker, accept }, onPages, signal)
      },
      [Symbol.asyncDispose]: () => copy[Symbol.asyncDispose](),
    }
  } catch (error) {
    const failure = systemFailure(error, { doing: 'copy', path: target.named })
    if (!(failure instanceof Failure) || failure.code === 'INTERRUPTED') throw failure
    return {
      snapshot: null,
      check: () => Promise.resolve(unreadFor(seen, 'failed', failure)),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }
  }
}
