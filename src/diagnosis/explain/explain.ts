/** What a rule, a code or a word of holdfast means, how it comes about, and what to do. */

import leven from 'leven'
import { failureKinds } from '../../model/failure.ts'
import { causeMeanings, remedyMeanings } from './explain-remedies.ts'
import { ruleMeanings } from './explain-rules.ts'
import { vocabulary } from './explain-vocabulary.ts'
import {
  damageMeanings,
  exitMeanings,
  levelMeanings,
  limitMeanings,
  stateMeanings,
  verdictMeanings,
} from './explain-words.ts'
import type { Meaning } from './meaning.ts'

export const topicKinds = [
  'finding',
  'failure',
  'word',
  'configuration key',
  'verdict',
  'damage class',
  'remedy',
  'cause',
  'seal level',
  'limit',
  'tenant state',
  'exit code',
] as const
export type TopicKind = (typeof topicKinds)[number]

/** What a key of the configuration accepts. Each text is as it would be in the file. */
export interface KeyValue {
  readonly allowed: string
  /** null if the value has no unit. */
  readonly unit: string | null
  /** The default; null if there is none. */
  readonly default: string | null
  readonly required: boolean
  /** The key in its section. */
  readonly example: string
}

/** `cause` and `todo` are empty if there is nothing to say. */
export interface Explanation extends Meaning {
  readonly topic: string
  readonly kind: TopicKind
  /** For keys of the configuration that hold a value. */
  readonly value?: KeyValue
}

/** Every topic but the keys of the configuration (config/reference/explain-keys.ts). */
export const topics: readonly Explanation[] = [
  ...entries('finding', ruleMeanings),
  ...Object.entries(failureKinds).map(([topic, { means, cause, hint }]) => ({
    topic,
    kind: 'failure' as const,
    means,
    cause,
    todo: hint,
  })),
  ...Object.entries(vocabulary).map(([topic, means]) => ({ topic, kind: 'word' as const, means, cause: '', todo: '' })),
  ...entries('verdict', verdictMeanings),
  ...entries('damage class', damageMeanings),
  ...entries('remedy', remedyMeanings),
  ...entries('cause', causeMeanings),
  ...entries('seal level', levelMeanings),
  ...entries('tenant state', stateMeanings),
  ...entries('exit code', exitMeanings),
  ...entries('limit', limitMeanings),
]

/**
 * The meanings of a topic, in the order of `among`. A name may have several: `none` is a damage class and a seal level.
 * Letters of any case, `_` or spaces for `-`, and `exit 4` for `4` are accepted.
 * @returns nothing for an unknown topic: see `nearestTopics`
 */
export function explain(topic: string, among: readonly Explanation[] = topics): readonly Explanation[] {
  const wanted = plain(topic)
  return among.filter((one) => plain(one.topic) === wanted)
}

/**
 * Topics near to an unknown one, nearest first, at most five: similar names, names that contain it, names that share
 * words.
 */
export function nearestTopics(topic: string, among: readonly Explanation[] = topics): readonly string[] {
  const wanted = plain(topic).slice(0, topicLengthMax)
  const names = [...new Set(among.map((one) => one.topic))]
  return names
    .map((name) => ({ name, isNear: isNear(wanted, plain(name)), far: leven(wanted, plain(name)) }))
    .filter(({ name, isNear, far }) => isNear || isSlip(far, wanted, name))
    .toSorted((a, b) => a.far - b.far || (a.name < b.name ? -1 : 1))
    .slice(0, 5)
    .map(({ name }) => name)
}

/** True for a typing mistake: some letters are the same, and few differ. */
const isSlip = (far: number, wanted: string, name: string): boolean =>
  far <= Math.max(2, name.length / 3) && far < Math.min(wanted.length, name.length)

/** True if they share two words, or one contains the other: `maxPause` in `hold.maxPause`. */
function isNear(wanted: string, name: string): boolean {
  if (sharedWords(wanted, name) > 1 || (wanted.length > 2 && name.includes(wanted))) return true
  return wanted.startsWith(`${name}.`)
}

const wordsOf = (topic: string): readonly string[] => topic.split(/[-.]/)
const sharedWords = (a: string, b: string): number =>
  [...new Set(wordsOf(a))].filter((word) => wordsOf(b).includes(word)).length

const topicLengthMax = 60
const plain = (topic: string): string =>
  topic
    .trim()
    .toLowerCase()
    .replaceAll(/[_\s]+/g, '-')
    .replace(/^exit-(?:code-)?(?=\d)/, '')

function entries(
  kind: TopicKind,
  meanings: Readonly<Record<string, Omit<Meaning, 'todo'> & { readonly todo?: string }>>,
): readonly Explanation[] {
  return Object.entries(meanings).map(([topic, { means, cause, todo = '' }]) => ({ topic, kind, means, cause, todo }))
}
