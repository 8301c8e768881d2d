/** One file from hold to result: the two halves of the pipeline, and what they become in the report. */
import type { ReadingProgress as PagesDone } from '../check/reading-builder.ts'
import type { DiagnosisContext } from '../diagnosis/context.ts'
import { countTables } from '../diagnosis/count-tables.ts'
import { diagnose } from '../diagnosis/diagnose.ts'
import { drawMap } from '../diagnosis/draw-map.ts'
import { skippedWithLimits } from '../diagnosis/limits.ts'
import { diagnoseEmptyFile, diagnoseNoDatabase } from '../diagnosis/not-a-database.ts'
import { weighRecovery } from '../diagnosis/recovery.ts'
import type { FileKind } from '../hold/file-kind.ts'
import { hold, type FileRequest, type Held, type HoldBounds } from '../hold/hold.ts'
import type { HoldTimings } from '../hold/record.ts'
import { draftName } from '../hold/snapshot/draft.ts'
import { monotonicMs } from '../host/clock.ts'
import type { SnapshotPath } from '../model/brand.ts'
import { invariant } from '../model/bug.ts'
import { Failure } from '../model/failure.ts'
import type { KeptFiles } from '../model/kept.ts'
import { noEvidence, type Evidence, type LiveSetPart } from '../model/result/evidence.ts'
import type { Finding } from '../model/result/finding.ts'
import type { LastGood } from '../model/result/last-good.ts'
import type { PageMap } from '../model/result/page-map.ts'
import type { Reading } from '../model/result/reading.ts'
import type { Recovery } from '../model/result/recovery.ts'
import type { Result } from '../model/result/report.ts'
import type { Diagnosis, NonEmpty, Remedy } from '../model/result/verdict.ts'
import {
  besideEarlier,
  digestingFor,
  lastGoodFrom,
  noEarlierChecks,
  type EarlierChecks,
  type RememberedTarget,
} from './earlier-checks.ts'
import type { RunContext, Target } from './run/run-context.ts'
import { requireStillness, withUnproven } from './weigh-evidence.ts'

/** A target whose hold is over, with the time at which its examination began. */
export interface HeldTarget {
  readonly target: Target
  readonly held: Held
  readonly startedAtMs: number
  readonly memory: EarlierChecks
}

let drafts = 0

/**
 * First half: takes the snapshots of all files of a tenant, in one hold; or that of one bare file.
 * @param files of one tenant; bare files are held one by one
 * @returns each with its own outcome, in their order
 * @throws {Failure} INTERRUPTED
 */
export async function holdTargets(
  files: NonEmpty<RememberedTarget>,
  crew: RunContext,
  bounds: HoldBounds,
  signal: AbortSignal,
): Promise<readonly HeldTarget[]> {
  const startedAtMs = monotonicMs()
  const [{ target: first }] = files
  invariant(first.tenant !== null || files.length === 1, 'bare files are held one by one')
  const [one, ...more] = files
  const request = {
    files: [requestOf(one, crew), ...more.map((file) => requestOf(file, crew))] as const,
    roots: crew.roots,
    keeper: crew.keeperOf(first),
    settings: crew.settings,
    folder: crew.folder,
    bounds,
  }
  const held = await hold(request, crew.companions, signal)
  return files.map(({ target, memory }, at) => {
    const outcome = held[at]
    invariant(outcome, 'a hold has an outcome for each file')
    return { target, held: outcome, startedAtMs, memory }
  })
}

const requestOf = ({ target, memory }: RememberedTarget, crew: RunContext): FileRequest => ({
  named: target.named,
  expected: target.tenant !== null || memory.hadPages,
  lostPauseMs: memory.lostPauseMs,
  name: draftName(drafts++),
  onStep: (step) => crew.onStep(target, step),
})

export interface Examined {
  readonly result: Result
  /** To be kept in the ledger; null where this check is nothing to measure others against. */
  readonly lastGood: Omit<LastGood, 'run'> | null
  /** Why nothing was read of the file; null where it was read. What stops the line goes by it. */
  readonly failure: Failure | null
}

/**
 * Second half: checks the snapshot and says what it means. The snapshot stays; who made it disposes of it.
 * @throws {Failure} INTERRUPTED, LEDGER_UNUSABLE
 */
export async function checkHeld(
  { target, held, startedAtMs, memory }: HeldTarget,
  crew: RunContext,
  depth: Depth,
  onPages: OnPages,
  signal: AbortSignal,
): Promise<Examined> {
  const { evidence, timings } = held.record
  const seen: HeldFile = { target, evidence, timings, startedAtMs, depth, map: crew.map, memory, notices: [] }
  switch (held.kind) {
    case 'refused':
      return unreadFor(seen, 'failed', held.failure)
    case 'undecided':
      return unreadFor(seen, 'inconclusive', held.failure)
    case 'snapshot': {
      const { path, kept } = held.snapshot
      const copy = { path, kept, file: held.file, modifiedMs: modifiedIn(evidence) }
      const examined = await conclude(seen, copy, crew, onPages, signal)
      await held.written
      if (held.unproven === null) return examined
      return { result: withUnproven(examined.result, held.unproven), lastGood: null, failure: held.unproven }
    }
  }
}

export type Depth = 'quick' | 'full'
/** Told of the pages of one check as they are done with. */
export type OnPages = (pages: PagesDone) => void

/** What is known of a file before it is read. `startedAtMs` is on the monotonic clock. */
export interface HeldFile {
  readonly target: Target
  readonly evidence: Evidence
  readonly timings: HoldTimings
  readonly startedAtMs: number
  readonly depth: Depth
  /** Does the result get a map of the pages? */
  readonly map: boolean
  readonly memory: EarlierChecks
  /** What was seen of the file itself, before it was read. */
  readonly notices: readonly Finding[]
}

/** A private copy, and what is known of its original. */
export interface CopiedFile {
  readonly path: SnapshotPath
  readonly kept: KeptFiles
  readonly file: FileKind
  /** When each part of the original was last written, in ms since 1970. */
  readonly modifiedMs: ReadonlyMap<LiveSetPart, number>
}

/** Reads a private copy and says what it means. @throws {Failure} INTERRUPTED */
export async function conclude(
  seen: HeldFile,
  copy: CopiedFile,
  { checker, accept }: Pick<RunContext, 'checker' | 'accept'>,
  onPages: OnPages,
  signal: AbortSignal,
): Promise<Examined> {
  const context = contextOf(seen, accept)
  const { contents, recoverable } = copy.file
  if (contents !== 'sqlite' && !recoverable) return concludeNoDatabase(seen, copy, context, null)
  // A WAL that the service was using a moment ago is no stranger's.
  const inUse = seen.evidence.snapshot?.method === 'warm+tail'
  const options = {
    kept: copy.kept,
    depth: seen.depth,
    map: seen.map,
    digesting: digestingFor(seen.memory),
    suspectCompanions: !inUse,
    signal,
    onProgress: onPages,
  }
  const checked = await checker.check(copy.path, options).catch(resultOfUnread)
  if (checked instanceof Failure)
    return unreadFor(seen, checked.code === 'CANNOT_CONFINE' ? 'failed' : 'inconclusive', afterHold(seen, checked))
  const known = besideEarlier(checked, seen.memory, seen.evidence)
  const noticed = seen.notices.map((finding) => ({ kind: 'found' as const, finding }))
  const reading = { ...known, facts: [...known.facts, ...noticed] }
  if (contents === 'empty') return concludeNoDatabase(seen, copy, context, reading)
  const { diagnosis, without } = weighRecovery(diagnose(reading, context), reading, context)
  const result = requireStillness({
    ...heading(seen, reading.checkMs),
    ...readingOf(reading, diagnosis),
    ...said(diagnosis),
    ...recoveredBy(reading, without, copy),
    ...mapped(seen, drawMap(reading, diagnosis.findings)),
  })
  return {
    result,
    lastGood: result.verdict === 'sound' ? lastGoodFrom(reading, seen.memory, seen.evidence) : null,
    failure: null,
  }
}

/** What keeps a file from being read is that file's result. @throws any other error, and {Failure} INTERRUPTED */
function resultOfUnread(error: unknown): Failure {
  if (error instanceof Failure && error.code !== 'INTERRUPTED') return error
  throw error
}

/** @param reading of what lies beside an empty file; null where nothing was read */
function concludeNoDatabase(
  seen: HeldFile,
  copy: CopiedFile,
  context: DiagnosisContext,
  reading: Reading | null,
): Examined {
  const { contents } = copy.file
  invariant(contents !== 'sqlite', 'a database is read')
  const known = { ...context, knownToLedger: seen.memory.hadPages }
  const { diagnosis, failure } =
    contents === 'empty' ? diagnoseEmptyFile(known, reading) : diagnoseNoDatabase(contents, known)
  const reason = diagnosis.verdict.kind === 'inconclusive' ? diagnosis.verdict.reason : ''
  const result = {
    ...heading(seen, null),
    ...nothingRead,
    ...said(diagnosis),
    ...(reading === null ? {} : recoveredBy(reading, null, copy)),
    ...mapped(seen, noPages),
    ...(failure === null ? {} : { failure: reported(afterHold(seen, new Failure(failure, reason))) }),
  }
  return { result: requireStillness(result), lastGood: null, failure: null }
}

/** Where recovery changed nothing, nothing is told. */
function recoveredBy(
  { recovered }: Reading,
  without: Recovery['without'],
  { modifiedMs }: CopiedFile,
): Pick<Result, 'recovery'> {
  if (recovered === null || recovered.pagesChanged === 0) return {}
  const fileMs = modifiedMs.get('')
  const companions = recovered.companions.map((companion) => {
    const writtenMs = modifiedMs.get(companion.part)
    const fileNewerByMs = writtenMs === undefined || fileMs === undefined ? null : Math.round(fileMs - writtenMs)
    return {
      ...companion,
      modifiedAt: writtenMs === undefined ? null : new Date(writtenMs).toISOString(),
      fileNewerByMs,
    }
  })
  return { recovery: { companions, pagesChanged: recovered.pagesChanged, without } }
}

const modifiedIn = ({ proofs }: Evidence): ReadonlyMap<LiveSetPart, number> =>
  new Map((proofs[0]?.files ?? []).map(({ part, mtimeNs }) => [part, Number(BigInt(mtimeNs) / 1_000_000n)]))

export const unreadFor = (seen: HeldFile, verdict: 'failed' | 'inconclusive', failure: Failure): Examined => ({
  result: unread(seen, verdict, failure),
  lastGood: null,
  failure,
})

/** A result for a file of which nothing was read. */
export function unread(seen: HeldFile, verdict: 'failed' | 'inconclusive', failure: Failure): Result {
  return {
    ...heading(seen, null),
    ...nothingRead,
    ...mapped(seen, noPages),
    verdict,
    remedy: doNothing(failure),
    failure: reported(failure),
    ...(verdict === 'inconclusive' ? { reason: failure.message } : {}),
  }
}

/** Of a target that never came to a hold. */
export const unseen = (target: Target, depth: Depth, map: boolean): HeldFile => ({
  target,
  depth,
  map,
  memory: noEarlierChecks,
  notices: [],
  evidence: noEvidence,
  timings: { warmMs: null, pauseMs: null, predictedPauseMs: null },
  startedAtMs: monotonicMs(),
})

/** What a result says of its pages, for those who asked. */
const mapped = ({ map }: HeldFile, drawn: PageMap): Pick<Result, 'map'> => (map ? { map: drawn } : {})
const noPages: PageMap = { kind: 'none', why: 'no page of the file was read' }

const heading = (
  { target, evidence, timings, startedAtMs, depth }: HeldFile,
  checkMs: number | null,
): Pick<Result, 'tenant' | 'path' | 'evidence' | 'depth' | 'timings'> => ({
  tenant: target.tenant,
  path: target.named,
  evidence,
  depth,
  timings: { ...timings, checkMs, totalMs: monotonicMs() - startedAtMs },
})

const nothingRead = {
  damage: 'none',
  findings: [],
  findingsTotal: 0,
  causes: [],
  coverage: { pages: 0, pagesRead: 0, objects: 0, skipped: [] },
  content: { tables: [] },
  readBy: null,
} as const

const readingOf = (
  reading: Reading,
  diagnosis: Diagnosis,
): Pick<Result, 'coverage' | 'content' | 'readBy' | 'writtenBy'> => ({
  coverage: { ...reading.coverage, skipped: skippedWithLimits(reading) },
  content:
    diagnosis.verdict.kind === 'damaged' ? countTables(reading, diagnosis.findings) : { tables: reading.content },
  readBy: { engine: reading.engine, sqlite: reading.sqliteVersion, confinement: reading.walls },
  writtenBy: reading.writtenBy === null ? null : { sqlite: reading.writtenBy },
})

const said = ({
  verdict,
  damage,
  findings,
  remedy,
  causes,
}: Diagnosis): Pick<Result, 'verdict' | 'damage' | 'findings' | 'findingsTotal' | 'remedy' | 'causes'> & {
  reason?: string
} => ({
  verdict: verdict.kind,
  damage,
  findings,
  remedy,
  causes,
  findingsTotal: findings.length,
  ...(verdict.kind === 'inconclusive' ? { reason: verdict.reason } : {}),
})

const reported = ({ code, message, hint, tenantState }: Failure): NonNullable<Result['failure']> => ({
  code,
  message,
  hint,
  tenantState,
})

/**
 * What the copy of a tenant cannot tell says nothing of the tenant: it stood still for the copy, and was seen serving.
 */
const afterHold = ({ evidence }: HeldFile, failure: Failure): Failure =>
  evidence.quiesce === null ? failure : failure.withTenant('active')

const doNothing = ({ message, hint }: Failure): Remedy => ({
  do: 'nothing',
  indexes: [],
  rehearsed: false,
  why: `nothing is known of the file: ${message}; ${hint}`,
  command: null,
})

function contextOf({ target, evidence }: HeldFile, accept: RunContext['accept']): DiagnosisContext {
  return {
    tenant: target.tenant,
    path: target.named,
    serviceSqlite: evidence.quiesce?.sqliteVersion ?? null,
    fileSystem: evidence.fileSystem,
    links: evidence.proofs[0]?.files[0]?.links ?? 1,
    verifiedBackup: false,
    accept,
  }
}
