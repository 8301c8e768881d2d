/** Prints the explanations of a topic. */

import { createColors } from 'picocolors'
import type { Explanation, KeyValue, TopicKind } from '../../diagnosis/explain/explain.ts'
import { wrapLabelled, wrap } from '../../text/layout.ts'

interface Options {
  readonly width: number
  readonly color: boolean
}

/** All meanings of one topic. */
export const renderExplanations = (explanations: readonly Explanation[], options: Options): string =>
  explanations.map((one) => renderExplanation(one, options)).join('\n')

function renderExplanation(explanation: Explanation, { width, color }: Options): string {
  const line = (label: string, text: string): readonly string[] =>
    text === '' || text === '-' ? [] : wrapLabelled(label, text, { indent: 2, labelWidth: 9, width })
  return `${[
    createColors(color).bold(`${explanation.topic} (${explanation.kind})`),
    ...line('means', explanation.means),
    ...line('because', explanation.cause),
    ...(explanation.value === undefined
      ? []
      : valueOf(explanation.value).flatMap(([label, text]) => line(label, text))),
    ...line('do', explanation.todo),
  ].join('\n')}\n`
}

/** The value, default and example of a key, in words. */
export function valueOf(value: KeyValue): readonly (readonly [label: string, text: string])[] {
  const { allowed, unit, required, example } = value
  return [
    ['value', unit === null ? allowed : `${allowed}, with its unit: ${unit}`],
    ['default', value.default ?? (required ? 'none: the key must be given' : 'none')],
    ['example', example],
  ]
}

const headings: Readonly<Record<TopicKind, string>> = {
  finding: 'Rules of findings',
  failure: 'Failure codes',
  word: 'Words',
  'configuration key': 'Keys of the configuration',
  verdict: 'Verdicts',
  'damage class': 'Classes of damage',
  remedy: 'Remedies',
  cause: 'Causes',
  'seal level': 'Seal levels',
  limit: 'Known limits',
  'tenant state': 'States of a tenant',
  'exit code': 'Exit codes',
}

/** `topics` in the order of their kinds. */
export function renderTopics(topics: readonly Explanation[], { width, color }: Options): string {
  const groups = Map.groupBy(topics, ({ kind }) => kind)
  return `${[
    ...wrap('`holdfast explain TOPIC` explains one of these:', width),
    ...[...groups].flatMap(([kind, members]) => [
      '',
      createColors(color).bold(headings[kind]),
      ...wrap(members.map(({ topic }) => topic).join(', '), width - 2).map((one) => `  ${one}`),
    ]),
  ].join('\n')}\n`
}

/** `others`: further meanings of the same name; left out if there are none. */
export const explanationDocument = (first: Explanation, others: readonly Explanation[]): object => ({
  schema: 'holdfast.explanation/1',
  ...first,
  ...(others.length === 0 ? {} : { others }),
})

export const topicsDocument = (topics: readonly Explanation[]): object => ({
  schema: 'holdfast.topics/1',
  topics: topics.map(({ topic, kind }) => ({ topic, kind })),
})
