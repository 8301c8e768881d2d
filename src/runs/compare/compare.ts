/**
 * `compare`: files, private copies or tenants, with one database file or several on each side. Of files at most two
 * snapshots lie on the disk at a time. Of a tenant, those of all files that are still to be compared.
 */

import { openChecker } from '../../check/check.ts'
import { openSnapshotFolder } from '../../hold/snapshot/temporary-folder.ts'
import type { FileComparison, SidePair } from '../../model/result/comparison.ts'
import { acquireByHold, acquireCopy } from '../acquire-file.ts'
import { withFileRun, type FileRunOptions } from '../begin/file-run.ts'
import { refusedTargets } from '../begin/refused-targets.ts'
import { readRegistry } from '../begin/registry.ts'
import type { RunContext } from '../begin/run-context.ts'
import type { ServiceRun } from '../begin/service-run.ts'
import type { PairedFile } from '../selection/pair-files.ts'
import { compareInTurn, type ComparisonObserver } from './compare-pairs.ts'
import type { AcquireFiles } from './side-files.ts'
import { pairSides, targetsOfFiles, targetsOfSide, type GivenFiles, type GivenSide } from './sides.ts'

/**
 * Two sides without a tenant.
 * @throws {Failure} USAGE for files that cannot be paired or are the same, INTERRUPTED, and as `withFileRun`
 */
export async function compareFiles(
  sides: SidePair<GivenFiles>,
  options: FileRunOptions,
  observer: ComparisonObserver,
  interrupt: AbortSignal,
): Promise<void> {
  const targets = { a: targetsOfFiles(sides.a), b: targetsOfFiles(sides.b) }
  const files = await pairSides(sides, targets)
  const held = [...(sides.a.kind === 'file' ? targets.a : []), ...(sides.b.kind === 'file' ? targets.b : [])]
  if (held.length === 0) return compareCopies(sides, files, options, observer, interrupt)
  await withFileRun(options, held, interrupt, (context, signal) => {
    const { checker } = context
    const acquire = acquireFilesWith(context, signal)
    return compareInTurn(files, { sides, acquire, checker, observer, record: recordNothing }, signal)
  })
}

/** Nothing is held, so no guardian and no run lock is needed. */
async function compareCopies(
  sides: SidePair<GivenFiles>,
  files: readonly PairedFile[],
  options: FileRunOptions,
  observer: ComparisonObserver,
  interrupt: AbortSignal,
): Promise<void> {
  await using folder = await openSnapshotFolder(options.snapshots, null)
  await using checker = await openChecker({
    ...options.check,
    engine: options.engine,
    folder: folder.path,
    parallel: options.checksInParallel,
  })
  const context = {
    checker,
    accept: options.accept,
    invariants: [],
    sampleShare: null,
    ledger: null,
    backups: null,
    rehearsing: null,
    folder: folder.path,
    map: options.map,
  }
  const acquire: AcquireFiles<GivenFiles> = async (_, [target], name) => [
    await acquireCopy(target, context, name, 'full', interrupt),
  ]
  await compareInTurn(files, { sides, acquire, checker, observer, record: recordNothing }, interrupt)
}

/** Without a tenant there is nothing for the ledger. */
const recordNothing = (): Promise<void> => Promise.resolve()

/**
 * Two sides of which at least one is a tenant.
 * @param options how a file beside the tenant is held
 * @throws {Failure} USAGE for a name that is a file and a tenant, and as `compareFiles`. TENANT_UNKNOWN,
 * REGISTRY_STALE, ADMIN_UNREACHABLE and the like. What stopped the line before all files were compared
 */
export async function compareTenants(
  sides: SidePair<GivenSide>,
  run: ServiceRun,
  options: FileRunOptions,
  observer: ComparisonObserver,
): Promise<void> {
  const { settings, service, ledger, context, signal } = run
  const { tenants } = await readRegistry(run, await ledger.lastResults())
  const targets = { a: targetsOfSide(sides.a, tenants), b: targetsOfSide(sides.b, tenants) }
  const terms = { via: service.via, roots: settings.tenants.roots }
  const [refused] = (await refusedTargets([...targets.a, ...targets.b], tenants, terms, signal)).values()
  if (refused !== undefined) throw refused
  const files = await pairSides(sides, targets)
  const acquireFiles = acquireFilesWith(contextForFiles(context, options), signal)
  const acquire: AcquireFiles<GivenSide> = (side, wanted, name) =>
    side.kind === 'tenant' ? acquireByHold(wanted, context, 'full', signal) : acquireFiles(side, wanted, name)
  const record = async ({ results }: FileComparison): Promise<void> => {
    for (const side of ['a', 'b'] as const) {
      const result = results[side]
      if (sides[side].kind === 'tenant' && result !== null && result.tenant !== null)
        await ledger.append({ kind: 'checked', tenant: result.tenant, result })
    }
  }
  await compareInTurn(files, { sides, acquire, checker: context.checker, observer, record }, signal)
}

/** A bare file in the run of a service: it has no roots, no place in the ledger, and no service that pauses it. */
const contextForFiles = (context: RunContext, { settings, level, accept }: FileRunOptions): RunContext => ({
  ...context,
  roots: null,
  ledger: null,
  backups: null,
  rehearsing: null,
  settings,
  levelFor: () => level,
  accept,
  connectionOf: () => null,
})

const acquireFilesWith =
  (context: RunContext, signal: AbortSignal): AcquireFiles<GivenFiles> =>
  async (side, wanted, name) =>
    side.kind !== 'file'
      ? [await acquireCopy(wanted[0], context, name, 'full', signal)]
      : acquireByHold(wanted, context, 'full', signal)
