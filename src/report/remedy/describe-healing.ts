/** What `sweep --heal` has changed, in words that nobody overlooks. */

import { createColors } from 'picocolors'
import type { HealReport } from '../../model/result/heal-report.ts'
import type { RemedyResult } from '../../model/result/remedy.ts'
import type { Result } from '../../model/result/report.ts'
import { count } from '../../text/count.ts'
import { wrapLabelled, wrap } from '../../text/layout.ts'
import { legibleName, legibleSentence } from '../text/legible.ts'
import type { TextOptions } from '../text/result-words.ts'
import { describeRemedy } from './describe-remedy.ts'

const leftShownMax = 10

/** The first line of the report. */
export function healingHeadline({ results }: HealReport, options: TextOptions): readonly string[] {
  const changed = [...new Set(results.flatMap(({ applied, tenant, path }) => (applied ? [tenant ?? path] : [])))]
  if (changed.length === 0) return []
  const line = `CHANGED BY --heal: ${changed.map(legibleName).join(', ')}`
  return [...wrap(line, options.width).map((one) => createColors(options.color).bold(one)), '']
}

/** The next step for a tenant that was left to a person is to read the plan, not to apply it. */
export function planFirst(results: readonly Result[], { left }: HealReport): readonly Result[] {
  const tenants = new Set<string | null>(left.map(({ tenant }) => tenant))
  return results.map((result) => {
    const { tenant, remedy } = result
    if (!tenants.has(tenant) || remedy.command === null) return result
    return { ...result, remedy: { ...remedy, command: remedy.command.replace(/ --apply$/, '') } }
  })
}

/** What was done, and what is left to a person. */
export function describeHealing(
  { limit, results, left, leftTotal, stopped }: HealReport,
  options: TextOptions,
): readonly string[] {
  const shown = options.verbose ? left : left.slice(0, leftShownMax)
  const changed = results.filter(({ applied }) => applied !== null).length
  const line = (label: string, text: string): readonly string[] =>
    wrapLabelled(label, text, { indent: 2, labelWidth: 8, width: options.width })
  return [
    '',
    `Self-healing: ${count(changed, 'file')} changed; heal.limit is ${limit} a sweep`,
    ...(stopped === null ? [] : line('stopped', legibleSentence(stopped))),
    ...shown.flatMap(({ tenant, why }, at) =>
      line(at === 0 ? 'left' : '', `${legibleName(tenant)}: ${legibleSentence(why)}`),
    ),
    ...(leftTotal > shown.length ? line('', `and ${count(leftTotal - shown.length, 'more tenant')}`) : []),
    ...results.flatMap((result) => ['', ...describeRemedy(outcomeOf(result), 'repair', options)]),
  ]
}

/** The findings and the account stand elsewhere. */
const outcomeOf = (result: RemedyResult) => ({ result, check: null, account: null })
