/** Prints what `explain` found. */
import { createColors } from 'picocolors'
import type { Explanation } from '../diagnosis/explain.ts'
import { labelled } from './layout.ts'

export function renderExplanation(explanation: Explanation, options: { readonly width: number; readonly color: boolean }): string {
  const colors = createColors(options.color)
  const line = (label: string, text: string): readonly string[] => (text === '' || text === '-' ? [] : labelled(label, text, { indent: 2, labelWidth: 9, width: options.width }))
  return `${[
    colors.bold(`${explanation.topic} (${explanation.kind})`),
    ...line('means', explanation.means), ...line('because', explanation.cause), ...line('do', explanation.todo),
  ].join('\n')}\n`
}
