import type { HealReport } from '../../model/result/heal-report.ts'
import type { Report } from '../../model/result/report.ts'
import { describeHealing, healingHeadline, planFirst } from '../../report/remedy/describe-healing.ts'
import type { TextOptions } from '../../report/text/result-words.ts'
import { renderReport } from '../../report/text/text.ts'

/** A report as text, with what `--heal` has done around it. */
export function reportText(
  report: Report & { readonly healing?: HealReport },
  options: TextOptions,
): readonly string[] {
  const { healing } = report
  if (healing === undefined) return [renderReport(report, options)]
  const text = renderReport({ ...report, results: planFirst(report.results, healing) }, options)
  const lines = (some: readonly string[]): string => some.map((line) => `${line}\n`).join('')
  return [lines(healingHeadline(healing, options)), text, lines(describeHealing(healing, options))]
}
