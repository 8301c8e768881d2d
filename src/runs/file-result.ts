/** The parts of a file's result: what is known before its check, and what the check and the diagnosis add. */

import type { DiagnosisContext } from '../diagnosis/context.ts'
import { countTables } from '../diagnosis/count-tables.ts'
import { skippedWithLimits } from '../diagnosis/limits.ts'
import type { HoldTimings } from '../hold/record.ts'
import { monotonicMs } from '../host/clock.ts'
import type { Failure } from '../model/failure.ts'
import { noEvidence, type Evidence } from '../model/result/evidence.ts'
import type { Finding } from '../model/result/finding.ts'
import type { PageMap } from '../model/result/page-map.ts'
import type { Reading } from '../model/result/reading.ts'
import type { Result } from '../model/result/report.ts'
import type { Diagnosis, Remedy, VerdictWord } from '../model/result/verdict.ts'
import type { Depth, MapChoice } from './begin/run-context.ts'
import type { Target } from './begin/target.ts'
import { contentBasis, noEarlierChecks, type EarlierChecks } from './earlier-checks.ts'

/** What is known of a file before its check. */
export interface UncheckedFile {
  readonly target: Target
  readonly evidence: Evidence
  readonly timings: HoldTimings
  /** When its examination began, on the monotonic clock. */
  readonly startedAtMs: number
  readonly depth: Depth
  readonly map: MapChoice
  readonly earlierChecks: EarlierChecks
  /** What was found on the file itself, outside of its content. */
  readonly notices: readonly Finding[]
}

/** A target that was never held. */
export const notHeld = (target: Target, depth: Depth, map: MapChoice): UncheckedFile => ({
  target,
  depth,
  map,
  earlierChecks: noEarlierChecks,
  notices: [],
  evidence: noEvidence,
  timings: { warmMs: null, pauseMs: null, predictedPauseMs: null },
  startedAtMs: monotonicMs(),
})

/** The result of a file of which nothing was read. */
export function unreadResult(file: UncheckedFile, verdict: 'failed' | 'inconclusive', failure: Failure): Result {
  return {
    ...headingOf(file, null),
    ...nothingRead,
    ...mapOf(file, verdict, () => noPages),
    verdict,
    remedy: nothingToDo(failure),
    failure: failureFields(failure),
    ...(verdict === 'inconclusive' ? { reason: failure.message } : {}),
  }
}

export const headingOf = (
  { target, evidence, timings, startedAtMs, depth }: UncheckedFile,
  checkMs: number | null,
): Pick<Result, 'tenant' | 'path' | 'evidence' | 'depth' | 'timings'> => ({
  tenant: target.tenant,
  path: target.named,
  evidence,
  depth,
  timings: { ...timings, checkMs, totalMs: monotonicMs() - startedAtMs },
})

/** In the place of `readingFields` where nothing was read. */
export const nothingRead = {
  damage: 'none',
  findings: [],
  findingsTotal: 0,
  causes: [],
  coverage: { pages: 0, pagesRead: 0, objects: 0, skipped: [] },
  content: { tables: [] },
  readBy: null,
} as const

export const readingFields = (
  reading: Reading,
  diagnosis: Diagnosis,
  context: DiagnosisContext,
): Pick<Result, 'coverage' | 'content' | 'readBy' | 'writtenBy'> => ({
  coverage: { ...reading.coverage, skipped: skippedWithLimits(reading, context) },
  content: {
    ...(diagnosis.verdict.kind === 'damaged' ? countTables(reading, diagnosis.findings) : { tables: reading.content }),
    ...basisOf(reading),
  },
  readBy: { engine: reading.engine, sqlite: reading.sqliteVersion, confinement: reading.walls },
  writtenBy: reading.writtenBy === null ? null : { sqlite: reading.writtenBy },
})

function basisOf(reading: Reading): Pick<Result['content'], 'basis'> {
  const basis = contentBasis(reading)
  return basis === null ? {} : { basis }
}

type DiagnosisFields = Pick<Result, 'verdict' | 'damage' | 'findings' | 'findingsTotal' | 'remedy' | 'causes'> & {
  reason?: string
}

export const diagnosisFields = ({ verdict, damage, findings, remedy, causes }: Diagnosis): DiagnosisFields => ({
  verdict: verdict.kind,
  damage,
  findings,
  remedy,
  causes,
  findingsTotal: findings.length,
  ...(verdict.kind === 'inconclusive' ? { reason: verdict.reason } : {}),
})

export const failureFields = ({ code, message, hint, tenantState }: Failure): NonNullable<Result['failure']> => ({
  code,
  message,
  hint,
  tenantState,
})

/** Empty if no map is wanted. */
export const mapOf = (
  { map }: Pick<UncheckedFile, 'map'>,
  verdict: VerdictWord,
  draw: () => PageMap,
): Pick<Result, 'map'> => (map === true || (map === 'damaged' && verdict === 'damaged') ? { map: draw() } : {})

export const noPages: PageMap = { kind: 'none', why: 'no page of the file was read' }

const nothingToDo = ({ message, hint }: Failure): Remedy => ({
  do: 'nothing',
  indexes: [],
  rehearsed: false,
  why: `nothing is known of the file: ${message}; ${hint}`,
  command: null,
})
