/** A sound result without what its line in a table does not show, so that a long run needs little memory. */
import { noEvidence, sealLevels, type Evidence, type SealLevel } from '../../model/result/evidence.ts'
import type { Result } from '../../model/result/report.ts'
import { acceptedObjects } from '../../report/accepted-limits.ts'

/** Leaves every other result as it is. */
export const shortResult = (result: Result): Result =>
  result.verdict === 'sound'
    ? {
        ...result,
        ...shared,
        coverage: acceptedCoverage(result),
        evidence: evidenceOf[result.evidence.level],
        findings: result.findings.length === 0 ? shared.findings : result.findings,
      }
    : result

const evidenceOf = Object.fromEntries(
  sealLevels.map((level) => [level, { ...noEvidence, level }]),
) as unknown as Readonly<Record<SealLevel, Evidence>>

/** The text names a few accepted limits of each file. */
const acceptedKeptMax = 10

function acceptedCoverage(result: Result): Result['coverage'] {
  const accepted = acceptedObjects(result)
  return accepted.length === 0 ? shared.coverage : { ...shared.coverage, skipped: accepted.slice(0, acceptedKeptMax) }
}

/** One object for all results. */
const shared = {
  content: { tables: [] },
  coverage: { pages: 0, pagesRead: 0, objects: 0, skipped: [] },
  causes: [],
  findings: [],
  remedy: { do: 'nothing', indexes: [], rehearsed: false, why: '', command: null },
} as const
