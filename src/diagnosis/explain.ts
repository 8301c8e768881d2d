/** What a rule, a failure code, a verdict, a seal level or an exit code means, how it comes about, and what to do. */
import { failureKinds } from '../model/failure.ts'
import type { FailureCode } from '../model/failure.ts'
import { editDistance } from '../model/nearest.ts'
import { damageMeanings, exitMeanings, levelMeanings, limitMeanings, stateMeanings, verdictMeanings } from './explain-words.ts'
import { failureMeanings } from './explain-failures.ts'
import { ruleMeanings } from './explain-rules.ts'

export interface Meaning {
  /** What it says, in one or two sentences. */
  readonly means: string
  /** How it comes about. */
  readonly cause: string
  /** What to do about it. */
  readonly todo: string
}

export type TopicKind = 'finding' | 'failure' | 'verdict' | 'damage class' | 'seal level' | 'exit code' | 'tenant state' | 'limit'

export interface Explanation extends Meaning {
  readonly topic: string
  readonly kind: TopicKind
}

/** Every topic in the order of its kind. */
export const topics: readonly Explanation[] = [
  ...entries('finding', ruleMeanings),
  ...entries('failure', failureMeanings).map((one) => ({ ...one, todo: failureKinds[one.topic as FailureCode].hint })),
  ...entries('verdict', verdictMeanings),
  ...entries('damage class', damageMeanings),
  ...entries('seal level', levelMeanings),
  ...entries('tenant state', stateMeanings),
  ...entries('exit code', exitMeanings),
  ...entries('limit', limitMeanings),
]

/** Any case, `_` and spaces as `-`, `exit 4` as `4`. @returns null for an unknown topic: see `nearestTopics`. */
export function explain(topic: string): Explanation | null {
  const wanted = plain(topic)
  return topics.find((one) => plain(one.topic) === wanted) ?? null
}

/** Names that are close to an unknown topic or share words with it, nearest first; at most five. */
export function nearestTopics(topic: string): readonly string[] {
  const wanted = plain(topic).slice(0, topicLengthMax)
  const near = topics.map((one) => ({ topic: one.topic, shared: sharedWords(wanted, plain(one.topic)), far: editDistance(wanted, plain(one.topic)) }))
    .filter(({ topic, shared, far }) => shared > 1 || far <= Math.max(2, topic.length / 3) || (wanted.length > 2 && plain(topic).includes(wanted)))
  return near.toSorted((a, b) => a.far - b.far || (a.topic < b.topic ? -1 : 1)).slice(0, 5).map(({ topic }) => topic)
}

const sharedWords = (a: string, b: string): number => [...new Set(a.split('-'))].filter((word) => b.split('-').includes(word)).length

const topicLengthMax = 60
const plain = (topic: string): string => topic.trim().toLowerCase().replaceAll(/[_\s]+/g, '-').replace(/^exit-(?:code-)?(?=\d)/, '')

function entries(kind: TopicKind, meanings: Readonly<Record<string, Omit<Meaning, 'todo'> & { readonly todo?: string }>>): readonly Explanation[] {
  return Object.entries(meanings).map(([topic, meaning]) => ({ topic, kind, means: meaning.means, cause: meaning.cause, todo: meaning.todo ?? '' }))
}
