/** From a reading to a verdict: what is damaged, how badly, why it may have happened, and what will mend it. Pure. */

import type { Finding, Rule } from '../model/result/finding.ts'
import { damageClasses } from '../model/result/finding.ts'
import type { Reading } from '../model/result/reading.ts'
import type { Diagnosis, NonEmpty } from '../model/result/verdict.ts'
import { causesOf, writerOf } from './causes.ts'
import type { DiagnosisContext } from './context.ts'
import { explainThrows, wholeTables } from './messages/explain-throws.ts'
import { gather } from './messages/gather.ts'
import {
  judgeContent,
  objectsWithoutTree,
  mergeFound,
  withoutForeignIndexes,
  withoutMiscounts,
  withoutRepeats,
} from './messages/merge.ts'
import { readMessage } from './messages/message.ts'
import { observe } from './messages/observation.ts'
import type { Observation } from './messages/observation.ts'
import { isDamage } from './messages/refusal.ts'
import { theSchema, viewSchema } from './messages/schema-view.ts'
import type { SchemaView } from './messages/schema-view.ts'
import { readChildEnd, readThrown } from './messages/thrown.ts'
import type { UnreadObject } from './messages/thrown.ts'
import { withoutConsequences } from './messages/unread-pages.ts'
import { unreadParts } from './messages/unread.ts'
import type { UnreadPart } from './messages/unread.ts'
import { nothingToMend, remedyFor } from './remedy.ts'
import { describeSalvage } from './salvage.ts'
import { classOf, weigh } from './weigh/weigh.ts'

/**
 * Turns the facts of a reading into a verdict; their order does not matter. The verdict is never `sound` if any fact
 * points to damage, and never `damaged` because of parts that were only not read.
 */
export function diagnose(reading: Reading, context: DiagnosisContext): Diagnosis {
  const schema = viewSchema(reading)
  const { observations, found, unread: thrown, covers } = understand(reading, schema)
  const findings = judgeContent([...gather(observations), ...found]).toSorted(byGravity(schema))
  const unread = unreadParts(reading, context, thrown, observations)
  const [first, ...rest] = findings.filter(({ severity }) => severity !== 'notice')
  if (first === undefined) return unread.length > 0 ? inconclusive(unread, findings) : sound(findings, reading)
  const damage: NonEmpty<Finding> = [first, ...rest]
  const weighed = weigh(damage, observations, schema)
  const unsettled = { unread: unread.filter((part) => !covers(part)).map(({ clause }) => clause), depth: reading.depth }
  return {
    verdict: { kind: 'damaged', findings: describeSalvage(damage, weighed.witnesses) },
    damage: weighed.damage,
    findings: describeSalvage(findings, weighed.witnesses),
    remedy: remedyFor(damage, weighed, unsettled, context, schema),
    causes: [...weighed.causes, ...causesOf(damage, context), ...writerOf(reading, context)],
  }

  function inconclusive(parts: readonly UnreadPart[], notices: readonly Finding[]): Diagnosis {
    const reason = `not everything was read: ${joinClauses(parts)}`
    // `holdfast check` again would give the same result.
    const topic = parts.find((part) => part.topic !== 'inconclusive')?.topic ?? 'inconclusive'
    return {
      verdict: { kind: 'inconclusive', reason },
      damage: 'none',
      findings: notices,
      remedy: nothingToMend(reason, `holdfast explain ${topic}`),
      causes: writerOf(reading, context),
    }
  }
}

interface Interpretation extends FactMeanings {
  /** True for a part that was not read because SQLite stopped at damage that a finding already names. */
  readonly covers: (part: UnreadPart) => boolean
}

/** What the facts say once repeats, consequences of unread pages, and what another SQLite wrote are left out. */
function understand(reading: Reading, schema: SchemaView): Interpretation {
  const { observations, found, unread } = interpret(reading, schema)
  const lacking = objectsWithoutTree(reading)
  const distinct = withoutConsequences(withoutRepeats(observations), reading)
  const counted = withoutMiscounts(distinct, reading)
  const ours = withoutForeignIndexes(counted, reading, lacking)
  const explained = explainThrows(ours, found, schema, wholeTables(reading), lacking.tables)
  const merged = mergeFound(explained.observations, found)
  return { ...merged, unread, covers: (part) => explained.covers(part) }
}

const sound = (notices: readonly Finding[], { depth }: Reading): Diagnosis => ({
  verdict: { kind: 'sound' },
  damage: 'none',
  findings: notices,
  remedy: nothingToMend(nothingFound(notices, depth), null),
  causes: [],
})

function nothingFound(notices: readonly Finding[], depth: Reading['depth']): string {
  const content = notices.some(({ rule }) => !aboutFiles.has(rule))
  const what =
    notices.length === 0
      ? 'nothing was found'
      : `only notices were found${content ? ': the application may have written such content itself' : ''}`
  return depth === 'quick' ? `${what}; a quick check does not compare rows with index entries` : what
}

/** Notices that are not about what an application has written into a table. */
const aboutFiles = new Set<Rule>([
  'other-names',
  'wal-large',
  'journal-old',
  'rows-gone',
  'schema-differs',
  'slower-than-usual',
  'invariant-violated',
  'invariant-unjudged',
])

/** A reason names at most this many parts that were not read. */
const clausesMax = 3

function joinClauses(parts: readonly UnreadPart[]): string {
  const clauses = parts.map(({ clause }) => clause)
  const more = clauses.length - clausesMax
  return `${clauses.slice(0, clausesMax).join('; ')}${more > 0 ? `; and ${more} more` : ''}`
}

/** What each fact says alone. */
interface FactMeanings {
  readonly observations: readonly Observation[]
  readonly found: readonly Finding[]
  readonly unread: readonly UnreadObject[]
}

function interpret(reading: Reading, schema: SchemaView): FactMeanings {
  const observations: Observation[] = []
  const found: Finding[] = []
  const unread: UnreadObject[] = []
  for (const fact of reading.facts) {
    switch (fact.kind) {
      case 'message':
        observations.push(...readMessage(fact.text, schema))
        break
      case 'thrown': {
        const meaning = readThrown(fact, schema)
        if (meaning.kind === 'damage') observations.push(meaning.observation)
        else unread.push(meaning.unread)
        break
      }
      case 'found':
        found.push(fact.finding)
        break
      case 'orphans':
        observations.push(
          observe('foreign-key-violated', schema.table(fact.table), {
            bearing: 'content',
            rows: fact.rows,
            count: fact.total,
            detail: fact.parent,
          }),
        )
        break
      case 'refused':
        // A statement that is only not understood is in the coverage.
        if (isDamage(fact, reading))
          observations.push(
            observe('schema-unreadable', theSchema, {
              detail: `malformed database schema (${fact.name}) - ${fact.why}`,
            }),
          )
        break
      case 'child-ended':
        observations.push(readChildEnd(fact))
        break
    }
  }
  return { observations, found, unread }
}

const severities = ['damage', 'leak', 'notice'] as const

/** Worst first, notices last; then by rule, object and page, so that the same damage always has the same order. */
const byGravity =
  (schema: SchemaView) =>
  (a: Finding, b: Finding): number =>
    severities.indexOf(a.severity) - severities.indexOf(b.severity) ||
    damageClasses.indexOf(classOf(b, schema)) - damageClasses.indexOf(classOf(a, schema)) ||
    compare(a.rule, b.rule) ||
    compare(a.object.name, b.object.name) ||
    (a.page ?? 0) - (b.page ?? 0) ||
    compare(JSON.stringify(a), JSON.stringify(b))

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
