/**
 * `compare`: files, private copies or tenants, with one database file or several on each side. Each pair is taken and checked as `check` does it, and its snapshots
 * are then read side by side; the next pair comes when they are gone. A tenant of several files is held once for all
 * that are compared: of files two at most lie on the disk, of a tenant all that are still to come. Of each pair files
 * come first and tenants last: no tenant stands still for a comparison that can come to nothing.
 */
import { openChecker, type Checker } from '../check/check.ts'
import type { CheckedSnapshot } from '../check/compare/compare-snapshots.ts'
import { comparedFile, fileNotReached, fileOfOneSide } from '../comparison/files.ts'
import { doubtsIn } from '../comparison/tables.ts'
import { draftName } from '../hold/snapshot/draft.ts'
import { openSnapshotFolder } from '../hold/snapshot/temporary-folder.ts'
import { isSameFile } from '../host/files/path-kind.ts'
import type { TenantId } from '../model/brand.ts'
import { invariant } from '../model/bug.ts'
import { Failure } from '../model/failure.ts'
import type { Comparison, FileComparison, Sided } from '../model/result/comparison.ts'
import type { Result } from '../model/result/report.ts'
import type { NonEmpty } from '../model/result/verdict.ts'
import type { RegisteredTenant } from '../service/port.ts'
import { acquireByHold, acquireCopy, type AcquiredFile } from './acquire-file.ts'
import type { Examined, OnPages } from './examine.ts'
import type { Checking, RunObserver } from './pipeline.ts'
import { withFileRun, type FileRunOptions } from './run/file-run.ts'
import { refusedTargets } from './run/refused-targets.ts'
import { readRegistry, targetsOf } from './run/registry.ts'
import type { RunContext, Target } from './run/run-context.ts'
import type { ServiceRun } from './run/service-run.ts'
import { pairFiles, type FileSet, type PairedFile } from './selection/pair-files.ts'
import { StopTheLine } from './stop-the-line.ts'

/** One side as it was given, and what it was taken for. */
export type GivenSide =
  /**
   * `file`: held and proven; `copy`: the caller says that nobody writes it. `paths`: the file, or those in the folder;
   * at least one.
   */
  | {
      readonly kind: 'file' | 'copy'
      readonly given: string
      readonly isFolder: boolean
      readonly paths: readonly string[]
    }
  | { readonly kind: 'tenant'; readonly given: string; readonly id: TenantId }

export type GivenFiles = Extract<GivenSide, { readonly kind: 'file' | 'copy' }>

/** Told of each file as it is done with, and in the end of those that the run did not come to. */
export interface WatchingComparison extends Pick<RunObserver, 'onProgress'> {
  readonly onFile: (file: FileComparison) => void
}

/**
 * Takes files of a side: of a tenant those that are compared, in one hold; else one file. `name` is as `draftName`
 * makes it.
 */
type Take<Side extends GivenSide> = (
  side: Side,
  targets: NonEmpty<Target>,
  name: string,
) => Promise<readonly AcquiredFile[]>

/**
 * Files with files.
 * @throws {Failure} USAGE for files that cannot be paired or are one, INTERRUPTED, and as `withBareRun`
 */
export async function compareFiles(
  sides: Sided<GivenFiles>,
  run: FileRunOptions,
  watching: WatchingComparison,
  interrupt: AbortSignal,
): Promise<void> {
  const targets = { a: filesOf(sides.a), b: filesOf(sides.b) }
  const files = await pairUp(sides, targets)
  const held = [...(sides.a.kind === 'file' ? targets.a : []), ...(sides.b.kind === 'file' ? targets.b : [])]
  const working = { sides, remember: () => Promise.resolve(), watching }
  if (held.length > 0)
    return withFileRun(run, held, interrupt, (crew, signal) =>
      compareEach(files, { ...working, take: takerOf(crew, signal), checker: crew.checker }, signal),
    )
  await using folder = await openSnapshotFolder(run.snapshots, null)
  await using checker = await openChecker({
    ...run.check,
    engine: run.engine,
    folder: folder.path,
    parallel: run.checksAtOnce,
  })
  const take: Take<GivenFiles> = async (_, [target], name) => [
    await acquireCopy(
      target,
      { checker, accept: run.accept, folder: folder.path, map: run.map },
      name,
      'full',
      interrupt,
    ),
  ]
  await compareEach(files, { ...working, take, checker }, interrupt)
}

/**
 * Two sides of which at least one is a tenant.
 * @param bare how files are held beside it
 * @throws {Failure} USAGE for names that could mean both, and as `compareFiles`; TENANT_UNKNOWN, REGISTRY_STALE,
 * ADMIN_UNREACHABLE and the like; what stopped the line before it came to all files
 */
export async function compareTenants(
  sides: Sided<GivenSide>,
  { settings, service, ledger, crew, signal }: ServiceRun,
  bare: FileRunOptions,
  watching: WatchingComparison,
): Promise<void> {
  const { tenants } = await readRegistry(service, await ledger.lastResults(), signal)
  const targets = { a: findTargets(sides.a, tenants), b: findTargets(sides.b, tenants) }
  const terms = { via: service.via, roots: settings.tenants.roots }
  const [refused] = (await refusedTargets([...targets.a, ...targets.b], tenants, terms, signal)).values()
  if (refused !== undefined) throw refused
  const files = await pairUp(sides, targets)
  const filesCrew: RunContext = {
    ...crew,
    roots: null,
    ledger: null,
    settings: bare.settings,
    accept: bare.accept,
    keeperOf: () => ({ kind: 'nobody' }),
  }
  const takeFile = takerOf(filesCrew, signal)
  const take: Take<GivenSide> = (side, wanted, name) =>
    side.kind === 'tenant' ? acquireByHold(wanted, crew, 'full', signal) : takeFile(side, wanted, name)
  const remember = async ({ results }: FileComparison): Promise<void> => {
    for (const side of ['a', 'b'] as const) {
      const result = results[side]
      if (sides[side].kind === 'tenant' && result !== null && result.tenant !== null)
        await ledger.append({ kind: 'checked', tenant: result.tenant, result })
    }
  }
  await compareEach(files, { sides, take, checker: crew.checker, remember, watching }, signal)
}

const filesOf = ({ paths }: GivenFiles): readonly Target[] => paths.map((named) => ({ tenant: null, named }))

function findTargets(side: GivenSide, tenants: readonly RegisteredTenant[]): readonly Target[] {
  const id = side.kind === 'tenant' ? side.id : side.given
  const listed = tenants.find((tenant) => tenant.id === id)
  if (side.kind !== 'tenant') {
    if (listed !== undefined)
      throw new Failure('USAGE', `${side.given} is a file here and a tenant of the service`, {
        hint: `write ./${side.given} for the file, tenant:${side.given} for the tenant`,
      })
    return filesOf(side)
  }
  if (listed === undefined)
    throw new Failure(
      'TENANT_UNKNOWN',
      `there is no file ${side.given} here, and the service does not list a tenant ${JSON.stringify(side.id)}`,
      { hint: 'files are told by a slash (./app.db); `holdfast status` lists the tenants that are known' },
    )
  if (listed.files.length === 0)
    throw new Failure('USAGE', `the service lists ${side.id} without any database file`, {
      hint: "there is nothing to compare; if it should have one, look at the service's list of tenants",
    })
  return targetsOf([listed])
}

/** @throws {Failure} USAGE, as `pairFiles`, and for a file that would be compared with itself */
async function pairUp(sides: Sided<GivenSide>, targets: Sided<readonly Target[]>): Promise<readonly PairedFile[]> {
  const setOf = (side: 'a' | 'b'): FileSet => ({
    given: sides[side].given,
    wanted: isOneFile(sides[side]) ? 'one' : 'all',
    files: targets[side],
  })
  const files = pairFiles({ a: setOf('a'), b: setOf('b') })
  for (const file of files) {
    if (file.kind !== 'pair' || !(await isSameFile(file.targets.a.named, file.targets.b.named))) continue
    const name = (side: 'a' | 'b'): string =>
      targets[side].length === 1 ? sides[side].given : file.targets[side].named
    throw new Failure('USAGE', `${name('a')} and ${name('b')} are one and the same file`, {
      hint: 'name two; a tenant whose folder stands here is named tenant:ID',
    })
  }
  return files
}

const isOneFile = (side: GivenSide): boolean => side.kind !== 'tenant' && !side.isFolder

const takerOf =
  (crew: RunContext, signal: AbortSignal): Take<GivenFiles> =>
  async (side, wanted, name) =>
    side.kind === 'copy'
      ? [await acquireCopy(wanted[0], crew, name, 'full', signal)]
      : acquireByHold(wanted, crew, 'full', signal)

interface Working<Side extends GivenSide> {
  readonly sides: Sided<Side>
  readonly take: Take<Side>
  readonly checker: Checker
  readonly watching: WatchingComparison
  /** Called with each file that was compared. */
  readonly remember: (file: FileComparison) => Promise<void>
}

type Pair = Extract<PairedFile, { readonly kind: 'pair' }>

/**
 * The files of one side: those of a tenant are taken in one hold when the first is asked for, so that it stands still
 * once, and they are of one moment.
 */
class TakenSide<Side extends GivenSide> implements AsyncDisposable {
  readonly #side: Side
  readonly #take: Take<Side>
  /** In the order in which they are asked for. */
  readonly #wanted: readonly Target[]
  readonly #ahead = new Map<Target, AcquiredFile>()

  constructor(side: Side, take: Take<Side>, wanted: readonly Target[]) {
    this.#side = side
    this.#take = take
    this.#wanted = wanted
  }

  /** The caller disposes of it. @throws {Failure} INTERRUPTED */
  async take(target: Target, name: string): Promise<AcquiredFile> {
    const ahead = this.#ahead.get(target)
    this.#ahead.delete(target)
    if (ahead !== undefined) return ahead
    const together = this.#side.kind === 'tenant' ? this.#wanted.slice(this.#wanted.indexOf(target) + 1) : []
    const [taken, ...others] = await this.#take(this.#side, [target, ...together], name)
    together.forEach((one, at) => {
      const other = others[at]
      if (other) this.#ahead.set(one, other)
    })
    invariant(taken, 'what is taken has an outcome')
    return taken
  }

  /** Deletes what nobody asked for any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const taken of this.#ahead.values()) await taken[Symbol.asyncDispose]()
    this.#ahead.clear()
  }
}

/** One after the other. What ends the run early is thrown when the rest has been told as not compared. */
async function compareEach<Side extends GivenSide>(
  files: readonly PairedFile[],
  working: Working<Side>,
  signal: AbortSignal,
): Promise<void> {
  const { watching, remember } = working
  const line = new StopTheLine(signal)
  let told = 0
  const tell = (file: FileComparison): void => {
    told++
    watching.onFile(file)
  }
  const pairs = files.filter((file) => file.kind === 'pair')
  await using a = new TakenSide(
    working.sides.a,
    working.take,
    pairs.map(({ targets }) => targets.a),
  )
  await using b = new TakenSide(
    working.sides.b,
    working.take,
    pairs.map(({ targets }) => targets.b),
  )
  try {
    for (const file of files) {
      if (file.kind !== 'pair') {
        tell(onlyIn(file))
        continue
      }
      if (line.reason !== null) throw line.reason
      const { compared, examined } = await comparePair(
        file,
        { a, b },
        working,
        stagesOf(file, told, files.length, working),
        signal,
      )
      tell(compared)
      for (const one of examined) line.look(one)
      await remember(compared)
    }
  } catch (error) {
    for (const file of files.slice(told))
      watching.onFile(file.kind === 'pair' ? fileNotReached(file.name, pathsOf(file)) : onlyIn(file))
    throw error
  }
}

const onlyIn = ({ kind, name, target }: Exclude<PairedFile, Pair>): FileComparison =>
  fileOfOneSide(kind, name, target.named)
const pathsOf = ({ targets }: Pair): Sided<string> => ({ a: targets.a.named, b: targets.b.named })

/** Where a pair stands, for the progress line. */
interface Stages {
  holding(side: 'a' | 'b'): void
  /** Both are being checked. @returns what is to be told of the pages of each */
  checking(): Sided<OnPages>
}

function stagesOf<Side extends GivenSide>(
  { targets }: Pair,
  done: number,
  total: number,
  { sides, watching }: Working<Side>,
): Stages {
  const name = (side: 'a' | 'b'): string => (total === 1 ? sides[side].given : targets[side].named)
  const tell = (holding: readonly string[], checking: readonly Checking[]): void =>
    watching.onProgress({ done: done * 2, total: total * 2, holding, checking })
  return {
    holding: (side) => tell([name(side)], []),
    checking: () => {
      const both: Sided<{ name: string; pages: Checking['pages'] }> = {
        a: { name: name('a'), pages: null },
        b: { name: name('b'), pages: null },
      }
      const onPagesOf =
        (side: 'a' | 'b'): OnPages =>
        (pages) => {
          both[side].pages = pages
          tell([], [both.a, both.b])
        }
      tell([], [both.a, both.b])
      return { a: onPagesOf('a'), b: onPagesOf('b') }
    },
  }
}

interface ComparedPair {
  readonly compared: FileComparison
  /** Of the sides that were come to. */
  readonly examined: readonly Examined[]
}

async function comparePair<Side extends GivenSide>(
  file: Pair,
  from: Sided<TakenSide<Side>>,
  { sides, checker }: Working<Side>,
  stages: Stages,
  signal: AbortSignal,
): Promise<ComparedPair> {
  const compared = (
    one: Examined,
    other: Examined | null,
    comparison: Parameters<typeof comparedFile>[3],
  ): ComparedPair => ({
    compared: comparedFile(
      file.name,
      pathsOf(file),
      sided<Result | null>(one.result, other?.result ?? null),
      comparison,
    ),
    examined: other === null ? [one] : [one, other],
  })
  const [early, late] =
    sides.a.kind === 'tenant' && sides.b.kind !== 'tenant' ? (['b', 'a'] as const) : (['a', 'b'] as const)
  const sided = <Value>(ofEarly: Value, ofLate: Value): Sided<Value> =>
    early === 'a' ? { a: ofEarly, b: ofLate } : { a: ofLate, b: ofEarly }
  signal.throwIfAborted()
  stages.holding(early)
  await using taken = await from[early].take(file.targets[early], draftName('compared-1'))
  if (taken.snapshot === null) return compared(await taken.check(() => undefined), null, null)
  stages.holding(late)
  await using other = await from[late].take(file.targets[late], draftName('compared-2'))
  const onPages = stages.checking()
  const [first, second] = await Promise.all([taken.check(onPages[early]), other.check(onPages[late])])
  if (other.snapshot === null) return compared(first, second, null)
  const snapshots = sided(checked(taken.snapshot, first.result), checked(other.snapshot, second.result))
  return compared(first, second, await checker.compare(snapshots, signal).catch(notReadAgain))
}

/**
 * What keeps a pair from being read once more is that pair's result.
 * @throws {Failure} INTERRUPTED, and any other error
 */
function notReadAgain(error: unknown): Comparison {
  if (error instanceof Failure && error.code !== 'INTERRUPTED')
    return { why: error.message, tables: [], schemaDifferences: [] }
  throw error
}

const checked = (
  { path, kept }: NonNullable<AcquiredFile['snapshot']>,
  { content, findings, coverage }: Result,
): CheckedSnapshot => ({ path, kept, content: content.tables, doubtOf: doubtsIn(findings, coverage.skipped) })
