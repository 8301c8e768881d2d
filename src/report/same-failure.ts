/** Prints many results that failed for the same reason as one: thirty copies of one failure would hide another. */

import { createColors } from 'picocolors'
import type { Result } from '../model/result/report.ts'
import { count } from '../text/count.ts'
import { wrap } from '../text/layout.ts'
import { withConfiguration } from './text/hint.ts'
import { legibleCommand, legibleName } from './text/legible.ts'
import { failureLines } from './text/problem.ts'
import { isPaused, verdictWord } from './text/result-words.ts'
import type { TextOptions } from './text/result-words.ts'

/** Fewer results are printed one by one. */
const groupedMin = 4
const namedMax = 3

/** Each result alone, or together with those that failed for the same reason; in the order of the first of each. */
export function groupFailures(results: readonly Result[]): readonly (readonly [Result, ...Result[]])[] {
  const groups = new Map<unknown, [Result, ...Result[]]>()
  for (const result of results) {
    const reason = reasonOf(result) ?? result
    const group = groups.get(reason)
    if (group === undefined) groups.set(reason, [result])
    else group.push(result)
  }
  return [...groups.values()].flatMap((group) =>
    group.length >= groupedMin ? [group] : group.map((result): [Result] => [result]),
  )
}

/** The failure without the names of its tenant and file; null if the result has more to report than a failure. */
function reasonOf(result: Result): string | null {
  const { verdict, failure, findings, path, tenant, reason = '' } = result
  if (failure === undefined || findings.length > 0 || isPaused(result)) return null
  const nameless = (text: string): string =>
    text.replaceAll(path, '').replaceAll(/[^\s,:;()"]+/g, (word) => (word === tenant ? '' : word))
  const texts = [failure.message, reason].map(nameless)
  return JSON.stringify([tenant === null, verdict, failure.code, failure.tenantState, ...texts])
}

export function describeSameFailure(group: readonly [Result, ...Result[]], options: TextOptions): readonly string[] {
  const [first] = group
  const noun = first.tenant === null ? 'file' : 'tenant'
  const names = group
    .slice(0, namedMax)
    .map(({ tenant, path }) => legibleName(tenant ?? path))
    .join(', ')
  const title =
    `${count(group.length, noun)} ${verdictWord(first)} for the same ` +
    `reason: ${names} and ${group.length - namedMax} more`
  const { bold } = createColors(options.color)
  const next = withConfiguration(`holdfast explain ${first.failure?.code ?? first.verdict}`, options.config ?? null)
  return [
    ...wrap(title, options.width).map((line) => bold(line)),
    ...failureLines(first, options),
    '  next',
    `    ${bold(legibleCommand(next))}`,
  ]
}
