/** Each key of the configuration as a topic of `explain` and of the reference. */

import type { Explanation, KeyValue } from '../../diagnosis/explain/explain.ts'
import { invariant } from '../../model/bug.ts'
import { keysOfSection, sections } from '../schema.ts'
import { valueNotes } from '../value.ts'
import { keyMeanings } from './key-meanings.ts'
import { sectionMeanings } from './section-meanings.ts'

const kind = 'configuration key'

/** Sections and keys in the order of the schema. */
export const explainKeys = (): readonly Explanation[] => topicsBelow(sections('/'), '')

function topicsBelow(section: unknown, path: string): readonly Explanation[] {
  return Object.entries(keysOfSection(section) ?? {}).flatMap(([name, schema]) => {
    const topic = path === '' ? name : `${path}.${name}`
    const below = topicsBelow(schema, topic)
    return below.length === 0 ? [explainKey(topic, schema)] : [explainSection(topic, below), ...below]
  })
}

function explainSection(topic: string, below: readonly Explanation[]): Explanation {
  const means = sectionMeanings[topic]
  invariant(means !== undefined, `the section ${topic} is not described`)
  return { topic, kind, means, cause: '', todo: `See its keys: ${below.map((one) => one.topic).join(', ')}.` }
}

function explainKey(topic: string, schema: unknown): Explanation {
  const meaning = keyMeanings[topic]
  const note = valueNotes.get(schema as Parameters<typeof valueNotes.get>[0])
  invariant(meaning !== undefined && note !== undefined, `the key ${topic} is not described`)
  const value: KeyValue = { ...note, default: meaning.default, example: exampleOf(topic.split('.'), meaning.example) }
  return { topic, kind, means: meaning.means, cause: '', todo: '', value }
}

/** `hold: { ttl: 20s }` */
function exampleOf([first = '', ...rest]: readonly string[], value: string): string {
  return rest.length === 0 ? `${first}: ${value}` : `${first}: { ${exampleOf(rest, value)} }`
}
