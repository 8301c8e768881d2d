/**
 * `compare`: two files, private copies or tenants. Each is taken and checked as `check` does it, and their snapshots are then read side by side.
 * Files come first and tenants last: no tenant stands still for a comparison that can come to nothing.
 */
import { compareSnapshots } from '../check/compare-snapshots.ts'
import { openChecker, type CheckLimits } from '../check/check.ts'
import type { Progress as PagesDone } from '../check/progressing.ts'
import { doubtsIn } from '../comparison/tables.ts'
import { draftPrefix } from '../hold/draft.ts'
import { openSnapshotFolder } from '../hold/snapshot-folder.ts'
import { isSameFile } from '../hold/tell-file.ts'
import type { SnapshotPath, TenantId } from '../model/brand.ts'
import type { Compared, ComparedSide, Comparison, Sided } from '../model/comparison.ts'
import { Failure } from '../model/failure.ts'
import type { Result } from '../model/report.ts'
import type { RegisteredTenant } from '../service/port.ts'
import { withBareRun, type BareRun } from './bare-run.ts'
import type { Crew, Target } from './crew.ts'
import type { OnPages } from './examine.ts'
import type { Checking } from './pipeline.ts'
import { readRegistry, targetsOf } from './registry.ts'
import { checkLimits, type ServiceRun } from './run.ts'
import { takeByHold, takeCopy, type Taken } from './take.ts'

/** One side as it was given, and what it was taken for. */
export type GivenSide =
  /** `file`: held and proven; `copy`: the caller says that nobody writes it. */
  | { readonly kind: 'file' | 'copy'; readonly given: string; readonly path: string }
  | { readonly kind: 'tenant'; readonly given: string; readonly id: TenantId }

export type GivenFile = Extract<GivenSide, { readonly kind: 'file' | 'copy' }>

/** Told what is being done, for the progress line. */
export type OnStage = (stage: 'holding' | 'checking', sides: readonly Checking[]) => void

/** Takes a side; `name` is unique in the snapshot folder, and begins so that the next run clears it away when this one is killed. */
type Take<Side extends GivenSide> = (side: Side, name: string) => Promise<Taken>

/** Two files. @throws {Failure} USAGE when they are one, and as `withBareRun` */
export async function compareFiles(sides: Sided<GivenFile>, run: BareRun, onStage: OnStage, signal: AbortSignal): Promise<Compared> {
  if (await isSameFile(sides.a.path, sides.b.path)) throw sameFile(sides)
  const held = [sides.a, sides.b].filter(({ kind }) => kind === 'file').map(({ path }): Target => ({ tenant: null, named: path }))
  if (held.length > 0) return withBareRun(run, held, signal, (crew) => comparePair(sides, takerOf(crew, signal), { folder: crew.folder, limits: run.check }, onStage, signal))
  await using folder = await openSnapshotFolder(run.snapshots, null)
  await using checker = await openChecker({ ...run.check, engine: run.engine, folder: folder.path, parallel: run.checksAtOnce })
  const take: Take<GivenFile> = (side, name) => takeCopy({ tenant: null, named: side.path }, { checker, accept: run.accept, folder: folder.path, map: run.map }, name, 'full', signal)
  return await comparePair(sides, take, { folder: folder.path, limits: run.check }, onStage, signal)
}

/**
 * Two sides of which at least one is a tenant.
 * @param bare how files are held beside it
 * @throws {Failure} USAGE for names that could mean both, or mean one file; TENANT_UNKNOWN, REGISTRY_STALE, ADMIN_UNREACHABLE and the like
 */
export async function compareTenants(sides: Sided<GivenSide>, { settings, service, ledger, crew, signal }: ServiceRun, bare: BareRun, onStage: OnStage): Promise<Compared> {
  const { tenants } = await readRegistry(service, await ledger.lastResults(), signal)
  const targets = { a: targetOf(sides.a, tenants), b: targetOf(sides.b, tenants) }
  if (await isSameFile(targets.a.named, targets.b.named)) throw sameFile(sides)
  const filesCrew: Crew = { ...crew, roots: null, ledger: null, settings: bare.settings, accept: bare.accept, keeperOf: () => ({ kind: 'nobody' }) }
  const takeFile = takerOf(filesCrew, signal)
  const take: Take<GivenSide> = (side, name) => (side.kind === 'tenant' ? takeByHold(side === sides.a ? targets.a : targets.b, crew, 'full', signal) : takeFile(side, name))
  const compared = await comparePair(sides, take, { folder: crew.folder, limits: checkLimits(settings) }, onStage, signal)
  for (const { kind, result } of [compared.sides.a, compared.sides.b]) if (kind === 'tenant' && result !== null && result.tenant !== null) await ledger.append({ kind: 'checked', tenant: result.tenant, result })
  return compared
}

function targetOf(side: GivenSide, tenants: readonly RegisteredTenant[]): Target {
  const id = side.kind === 'tenant' ? side.id : side.given
  const listed = tenants.find((tenant) => tenant.id === id)
  if (side.kind !== 'tenant') {
    if (listed !== undefined) throw new Failure('USAGE', `${side.given} is a file here and a tenant of the service`, { hint: `write ./${side.given} for the file, tenant:${side.given} for the tenant` })
    return { tenant: null, named: side.path }
  }
  if (listed === undefined) throw new Failure('TENANT_UNKNOWN', `there is no file ${side.given} here, and the service does not list a tenant ${JSON.stringify(side.id)}`, { hint: 'files are told by a slash (./app.db); `holdfast status` lists the tenants that are known' })
  const [only, ...others] = targetsOf([listed])
  if (only === undefined || others.length > 0) throw new Failure('USAGE', `${side.id} has ${listed.files.length} database files, and a comparison takes one`, { hint: '`holdfast pull` brings all of them; compare the files of two such folders one by one' })
  return only
}

const sameFile = ({ a, b }: Sided<GivenSide>): Failure =>
  new Failure('USAGE', `${a.given} and ${b.given} are one and the same file`, { hint: 'name two; a tenant whose folder stands here is named tenant:ID' })

const takerOf = (crew: Crew, signal: AbortSignal): Take<GivenFile> => (side, name) => {
  const target: Target = { tenant: null, named: side.path }
  return side.kind === 'copy' ? takeCopy(target, crew, name, 'full', signal) : takeByHold(target, crew, 'full', signal)
}

interface Reading {
  readonly folder: string
  readonly limits: CheckLimits
}

async function comparePair<Side extends GivenSide>(sides: Sided<Side>, take: Take<Side>, reading: Reading, onStage: OnStage, signal: AbortSignal): Promise<Compared> {
  const tenantFirst = sides.a.kind === 'tenant' && sides.b.kind !== 'tenant'
  const [early, late]: readonly [Side, Side] = tenantFirst ? [sides.b, sides.a] : [sides.a, sides.b]
  onStage('holding', [begun(early)])
  await using taken = await take(early, `${draftPrefix}${process.pid}-compared-1`)
  if (taken.snapshot === null) return inSides(sides, early, (await taken.check(() => undefined)).result, null, null)
  onStage('holding', [begun(late)])
  await using other = await take(late, `${draftPrefix}${process.pid}-compared-2`)
  const checking = [begun(early), begun(late)] as const
  const onPages = (one: { pages: PagesDone | null }): OnPages => (pages) => {
    one.pages = pages
    onStage('checking', checking)
  }
  onStage('checking', checking)
  const [{ result }, { result: otherResult }] = await Promise.all([taken.check(onPages(checking[0])), other.check(onPages(checking[1]))])
  if (other.snapshot === null) return inSides(sides, early, result, otherResult, null)
  const [a, b] = tenantFirst ? [checked(other.snapshot, otherResult), checked(taken.snapshot, result)] : [checked(taken.snapshot, result), checked(other.snapshot, otherResult)]
  return inSides(sides, early, result, otherResult, await compareSnapshots({ a, b }, { ...reading.limits, folder: reading.folder }, signal))
}

const begun = ({ given }: GivenSide): { readonly name: string; pages: PagesDone | null } => ({ name: given, pages: null })

const checked = (path: SnapshotPath, { content, findings, coverage }: Result): Parameters<typeof compareSnapshots>[0]['a'] => ({ path, content: content.tables, doubtOf: doubtsIn(findings, coverage.skipped) })

function inSides({ a, b }: Sided<GivenSide>, early: GivenSide, result: Result, otherResult: Result | null, comparison: Comparison | null): Compared {
  const sideOf = (side: GivenSide): ComparedSide => ({ given: side.given, kind: side.kind, result: side === early ? result : otherResult })
  return { sides: { a: sideOf(a), b: sideOf(b) }, comparison }
}
