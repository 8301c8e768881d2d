/** A private copy is checked, and the result says what the check means. */

import type { ReadingProgress as PagesDone } from '../check/reading-builder.ts'
import type { DiagnosisContext } from '../diagnosis/context.ts'
import { diagnose } from '../diagnosis/diagnose.ts'
import { drawMap } from '../diagnosis/draw-map.ts'
import { diagnoseEmptyFile, diagnoseNoDatabase } from '../diagnosis/not-a-database.ts'
import { weighRecovery } from '../diagnosis/recovery.ts'
import type { FileKind } from '../hold/file-kind.ts'
import type { SnapshotPath } from '../model/brand.ts'
import { invariant } from '../model/bug.ts'
import { Failure } from '../model/failure.ts'
import type { KeptFiles } from '../model/kept-file.ts'
import type { LiveSetPart } from '../model/result/evidence.ts'
import type { LastGood } from '../model/result/last-good.ts'
import type { Reading } from '../model/result/reading.ts'
import type { Recovery } from '../model/result/recovery.ts'
import type { Result } from '../model/result/report.ts'
import type { SampleRequest, SampleRound } from '../model/result/sample.ts'
import type { RunContext } from './begin/run-context.ts'
import { confirmDamage } from './confirm/confirm-damage.ts'
import { digestRequestOf, lastGoodFrom } from './earlier-checks.ts'
import {
  diagnosisFields,
  failureFields,
  headingOf,
  mapOf,
  noPages,
  nothingRead,
  readingFields,
  unreadResult,
  type UncheckedFile,
} from './file-result.ts'
import { withRules } from './invariants/with-rules.ts'
import { addNotices, seenFilesOf, type SeenFiles } from './notices/add-notices.ts'
import { beginSample } from './sample/begin-sample.ts'
import { weighPossibleWriters } from './weigh-evidence.ts'

export interface Examination {
  readonly result: Result
  /** For the ledger; null if later checks cannot be compared with this one. */
  readonly lastGood: Omit<LastGood, 'run'> | null
  /** For the ledger; null if no sample was read. */
  readonly round: SampleRound | null
  /** Why nothing was read of the file, or what the service did not confirm; null if neither. It may stop the line. */
  readonly failure: Failure | null
  /** What the verdict rests on, for a rehearsal; null if no database was read. */
  readonly read: { readonly reading: Reading; readonly context: DiagnosisContext } | null
}

/** Called with the pages of one check while it goes on. */
export type PagesObserver = (pages: PagesDone) => void

/** A private copy, and what is known of its original. */
export interface ExaminedCopy {
  readonly path: SnapshotPath
  readonly kept: KeptFiles
  readonly file: FileKind
  /** When each part of the original was last written, in ms since 1970. */
  readonly modifiedMs: ReadonlyMap<LiveSetPart, number>
}

/** Checks a private copy. @throws {Failure} INTERRUPTED */
export async function examineCopy(
  file: UncheckedFile,
  copy: ExaminedCopy,
  run: Pick<RunContext, 'checker' | 'accept' | 'invariants' | 'sampleShare' | 'ledger' | 'backups' | 'folder'>,
  onPages: PagesObserver,
  signal: AbortSignal,
): Promise<Examination> {
  const { checker, accept, backups } = run
  const verifiedBackup = (await backups?.hasVerified(file.target)) ?? false
  const context = diagnosisContextOf(file, accept, verifiedBackup)
  const { contents, recoverable } = copy.file
  if (contents !== 'sqlite' && !recoverable) return examineNoDatabase(file, copy, context, null)
  const seen = file.evidence.proofs.length > 0 ? seenFilesOf(file.evidence) : seenFilesOfCopy(copy)
  const sampling = await beginSample(file, run)
  const reading = await readCopy(file, copy, checker, sampling.request, onPages, signal)
  if (reading instanceof Failure)
    return notRead(file, reading.code === 'CANNOT_CONFINE' ? 'failed' : 'inconclusive', afterHold(file, reading))
  const withNotices = addNotices(reading, file, seen)
  if (contents === 'empty') return examineNoDatabase(file, copy, context, withNotices)
  const examined = examineReading(file, copy, context, withNotices)
  const again = { reading: withNotices, context, copy, sample: sampling.request, signal }
  const result =
    examined.result.verdict === 'damaged'
      ? await confirmDamage(examined.result, file, again, checker)
      : await withRules(examined.result, file, again, run)
  const { round, reported } = sampling.end(withNotices)
  return {
    ...examined,
    result: reported === null ? result : { ...result, sample: reported },
    round,
    lastGood: result.verdict === 'sound' ? examined.lastGood : null,
  }
}

/** @returns the reading, or why there is none. @throws {Failure} INTERRUPTED, and any error that is no failure */
async function readCopy(
  { depth, map, earlierChecks, evidence }: UncheckedFile,
  { path, kept }: ExaminedCopy,
  checker: RunContext['checker'],
  sample: SampleRequest | null,
  onPages: PagesObserver,
  signal: AbortSignal,
): Promise<Reading | Failure> {
  const options = {
    kept,
    depth,
    ...(sample === null ? {} : { sample }),
    map: map !== false,
    digesting: digestRequestOf(earlierChecks),
    // The service was using this WAL a moment ago, so it belongs to the file.
    suspectCompanions: evidence.snapshot?.method !== 'warm+tail' && evidence.pin?.branch !== 'wal',
    signal,
    onProgress: onPages,
  }
  try {
    return await checker.check(path, options)
  } catch (error) {
    if (error instanceof Failure && error.code !== 'INTERRUPTED') return error
    throw error
  }
}

/** Called before the check, which recovers the copy into one file. */
const seenFilesOfCopy = ({ kept, modifiedMs }: ExaminedCopy): SeenFiles => ({
  seenAtMs: Date.now(),
  files: [...kept].map(([part, { bytes }]) => ({ part, bytes, modifiedMs: modifiedMs.get(part) ?? Date.now() })),
})

function examineReading(
  file: UncheckedFile,
  copy: ExaminedCopy,
  context: DiagnosisContext,
  reading: Reading,
): Examination {
  const { diagnosis, without } = weighRecovery(diagnose(reading, context), reading, context)
  const result = weighPossibleWriters({
    ...headingOf(file, reading.checkMs),
    ...readingFields(reading, diagnosis, context),
    ...diagnosisFields(diagnosis),
    ...recoveryField(reading, without, copy),
    ...mapOf(file, diagnosis.verdict.kind, () => drawMap(reading, diagnosis.findings)),
  })
  return {
    result,
    lastGood:
      result.verdict === 'sound'
        ? lastGoodFrom(reading, file.earlierChecks, file.evidence, file.timings.pauseMs)
        : null,
    round: null,
    failure: null,
    read: { reading, context },
  }
}

/** @param reading of the WAL or journal beside an empty file; null if nothing was read */
function examineNoDatabase(
  file: UncheckedFile,
  copy: ExaminedCopy,
  context: DiagnosisContext,
  reading: Reading | null,
): Examination {
  const { contents } = copy.file
  invariant(contents !== 'sqlite', 'a database is read')
  const known = { ...context, knownToLedger: file.earlierChecks.hadPages }
  const { diagnosis, failure } =
    contents === 'empty' ? diagnoseEmptyFile(known, reading) : diagnoseNoDatabase(contents, known)
  const reason = diagnosis.verdict.kind === 'inconclusive' ? diagnosis.verdict.reason : ''
  const result = {
    ...headingOf(file, null),
    ...nothingRead,
    ...diagnosisFields(diagnosis),
    ...(reading === null ? {} : recoveryField(reading, null, copy)),
    ...mapOf(file, diagnosis.verdict.kind, () => noPages),
    ...(failure === null ? {} : { failure: failureFields(afterHold(file, new Failure(failure, reason))) }),
  }
  return { result: weighPossibleWriters(result), lastGood: null, round: null, failure: null, read: null }
}

export const notRead = (file: UncheckedFile, verdict: 'failed' | 'inconclusive', failure: Failure): Examination => ({
  result: unreadResult(file, verdict, failure),
  lastGood: null,
  round: null,
  failure,
  read: null,
})

/** Empty if recovery changed no page. */
function recoveryField(
  { recovered }: Reading,
  without: Recovery['without'],
  { modifiedMs }: ExaminedCopy,
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

/** A failure on the copy says nothing of the tenant: it was paused for the copy, and was seen serving afterwards. */
const afterHold = ({ evidence }: UncheckedFile, failure: Failure): Failure =>
  evidence.quiesce === null ? failure : failure.withTenant('active')

function diagnosisContextOf(
  { target, evidence }: UncheckedFile,
  accept: RunContext['accept'],
  verifiedBackup: boolean,
): DiagnosisContext {
  return {
    tenant: target.tenant,
    path: target.named,
    serviceSqlite: evidence.quiesce?.sqliteVersion ?? null,
    fileSystem: evidence.fileSystem,
    links: evidence.proofs[0]?.files[0]?.links ?? 1,
    verifiedBackup,
    accept,
  }
}
