/** A kept report of any kind, as its command printed it. */
import { linesOfReport, type KeptReport } from '../../ledger/reports/kept-reports.ts'
import { Failure } from '../../model/failure.ts'
import type { RemedyOutcome, RemedyReport } from '../../model/result/remedy.ts'
import type { Result } from '../../model/result/report.ts'
import { mapEach, jsonReport } from '../../report/json.ts'
import { keyRedactor } from '../../report/redact.ts'
import { remedyJson, remedyRedactor } from '../../report/remedy/remedy-json.ts'
import { remedyText } from '../../report/remedy/remedy-text.ts'
import { storedReport, type ReportFrame, type StoredReport } from '../../report/stored-report.ts'
import type { TextOptions } from '../../report/text/result-words.ts'
import { reportText } from './report-text.ts'
import { shortResult } from './short-result.ts'

export interface KeptDocument {
  /** Version of SQLite that read the files. */
  readonly sqlite: string
  /** null for remedies, which have no page. */
  readonly report: StoredReport | null
  readonly json: () => Iterable<string>
  readonly text: (options: TextOptions) => Iterable<string>
}

/** @throws {Failure} REPORT_BROKEN; USAGE for a kind that only a newer holdfast knows */
export function openKeptReport(kept: KeptReport, redactKeys = false): KeptDocument {
  const { document, mode, run } = kept.heading
  const lines = (): Iterable<string> => linesOfReport(kept)
  switch (document) {
    case 'holdfast.report/1':
      return checksOf(storedReport<Result, ReportFrame>(lines), redactKeys)
    case 'holdfast.remedy/1':
      return remediesOf(storedReport<RemedyOutcome, Omit<RemedyReport, 'results'>>(lines), redactKeys)
    default:
      throw new Failure('USAGE', `run ${run} is a ${mode}, and this version cannot print its report (${document})`)
  }
}

function checksOf({ frame, results: stored }: StoredReport, redactKeys: boolean): KeptDocument {
  const results = redactKeys ? () => mapEach(stored(), keyRedactor()) : stored
  return {
    sqlite: frame.tool.sqlite,
    report: { frame, results },
    json: () => jsonReport(frame, results()),
    text: (options) => {
      const shown = mapEach(results(), (result) => (options.verbose ? result : shortResult(result)))
      return reportText({ ...frame, results: [...shown] }, options)
    },
  }
}

function remediesOf(
  { frame, results: stored }: StoredReport<RemedyOutcome, Omit<RemedyReport, 'results'>>,
  redactKeys: boolean,
): KeptDocument {
  const outcomes = redactKeys ? () => mapEach(stored(), remedyRedactor()) : stored
  return {
    sqlite: frame.tool.sqlite,
    report: null,
    json: () => remedyJson(frame, outcomes()),
    text: (options) => [remedyText(frame, [...outcomes()], options)],
  }
}
