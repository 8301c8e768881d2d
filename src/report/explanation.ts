/** Prints what `explain` found, or what comes near. */
import { createColors } from 'picocolors'
import { nearestTopics } from '../diagnosis/explain.ts'
import type { Explanation } from '../diagnosis/explain.ts'
import { labelled } from './layout.ts'
import { printable } from './printable.ts'

export function renderExplanation(explanation: Explanation, options: { readonly width: number; readonly color: boolean }): string {
  const colors = createColors(options.color)
  const line = (label: string, text: string): readonly string[] => (text === '' || text === '-' ? [] : labelled(label, text, { indent: 2, labelWidth: 9, width: options.width }))
  return `${[
    colors.bold(`${explanation.topic} (${explanation.kind})`),
    ...line('means', explanation.means), ...line('because', explanation.cause), ...line('do', explanation.todo),
  ].join('\n')}\n`
}

/** What to say of a topic that nobody knows: one line, for the failure's message. */
export function unknownTopic(topic: string): string {
  const near = nearestTopics(topic)
  return `nothing is called ${printable(topic)}${near.length === 0 ? '' : `; did you mean ${near.join(', ')}?`}`
}
