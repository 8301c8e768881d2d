/** A culprit of a triage, printed as soon as it is found. */

import { createColors } from 'picocolors'
import type { Result, Suspicion } from '../../model/result/report.ts'
import { weightOf } from '../../runs/triage/suspicion.ts'
import { wrapIndented, wrapLabelled, wrap } from '../../text/layout.ts'
import { legibleName, legibleSentence } from '../text/legible.ts'
import { describeUnsound } from '../text/problem.ts'
import type { TextOptions } from '../text/result-words.ts'

export interface Culprit {
  readonly result: Result
  /** In the order of suspicion, from 1. */
  readonly place: number
  readonly suspects: number
  /** True for the deep check of a culprit that was printed before. */
  readonly again: boolean
}

export function renderCulprit({ result, place, suspects, again }: Culprit, options: TextOptions): string {
  const colors = createColors(options.color)
  const name = legibleName(result.tenant ?? result.path)
  const title = `${again ? 'CONFIRMED' : 'CULPRIT'}: ${name}, number ${place} of ${suspects} in the order of suspicion`
  const lines = [
    ...wrap(title, options.width).map((line) => colors.bold(colors.red(line))),
    ...reasonLines(result.suspicion ?? [], options),
    ...describeUnsound(result, 'triage', options),
    '',
  ]
  return `${lines.join('\n')}\n`
}

const reasonLines = (suspicion: readonly Suspicion[], options: TextOptions): readonly string[] =>
  suspicion.flatMap(({ text }, at) =>
    wrapLabelled(at === 0 ? 'suspect' : '', legibleSentence(text), { indent: 2, labelWidth: 8, width: options.width }),
  )

/** So many suspects are listed without --verbose. */
const listedMax = 10

/** Why files were examined early: the order of a triage, without those that nothing spoke against. */
export function describeSuspicion(results: readonly Result[], options: TextOptions): readonly string[] {
  const suspected = results
    .filter(({ suspicion = [] }) => suspicion.length > 0)
    .toSorted((a, b) => weightOf(b.suspicion ?? []) - weightOf(a.suspicion ?? []))
  if (suspected.length === 0) return []
  const shown = options.verbose ? suspected : suspected.slice(0, listedMax)
  return [
    '',
    ...wrap('Suspected, in this order:', options.width),
    ...shown.flatMap((result) => {
      const reasons = (result.suspicion ?? []).map(({ text }) => legibleSentence(text)).join('; ')
      return wrapIndented(`${legibleName(result.tenant ?? result.path)} (${result.verdict}): ${reasons}`, options)
    }),
    ...(shown.length < suspected.length
      ? wrap(`  ${suspected.length - shown.length} more; --verbose shows all`, options.width)
      : []),
  ]
}
