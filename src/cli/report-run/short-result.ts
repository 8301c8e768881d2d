/** A sound result without what its line in a table does not show, so that a long run needs little memory. */
import { noEvidence, sealLevels, type Evidence, type SealLevel } from '../../model/result/evidence.ts'
import type { Result } from '../../model/result/report.ts'

/** Leaves every other result as it is. */
export const shortResult = (result: Result): Result =>
  result.verdict === 'sound'
    ? {
        ...result,
        ...shared,
        evidence: evidenceOf[result.evidence.level],
        findings: result.findings.length === 0 ? shared.findings : result.findings,
      }
    : result

const evidenceOf = Object.fromEntries(
  sealLevels.map((level) => [level, { ...noEvidence, level }]),
) as unknown as Readonly<Record<SealLevel, Evidence>>

/** One object for all results. */
const shared = {
  content: { tables: [] },
  coverage: { pages: 0, pagesRead: 0, objects: 0, skipped: [] },
  causes: [],
  findings: [],
  remedy: { do: 'nothing', indexes: [], rehearsed: false, why: '', command: null },
} as const
