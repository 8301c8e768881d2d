/** From a reading to a verdict: what is damaged, how badly, why it may have happened, and what will mend it. Pure. */
import type { Finding } from '../model/result/finding.ts'
import { damageClasses } from '../model/result/finding.ts'
import type { Reading } from '../model/result/reading.ts'
import type { Diagnosis, NonEmpty, Verdict } from '../model/result/verdict.ts'
import { causesOf, writerOf } from './causes.ts'
import type { DiagnosisContext } from './context.ts'
import { explainThrows, wholeTables } from './messages/explain-throws.ts'
import { gather } from './messages/gather.ts'
import {
  judgeContent,
  lackingTrees,
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
import type { Unread } from './messages/thrown.ts'
import { withoutConsequences } from './messages/unread-pages.ts'
import { unreadOf } from './messages/unread.ts'
import type { UnreadPart } from './messages/unread.ts'
import { nothingToMend, remedyFor } from './remedy.ts'
import { tellSalvage } from './salvage.ts'
import { classOf, weigh } from './weigh.ts'

/**
 * The order of the facts does not matter. Never `sound` while any fact speaks of damage, and never `damaged` for what
 * was merely not read.
 */
export function diagnose(reading: Reading, context: DiagnosisContext): Diagnosis {
  const schema = viewSchema(reading)
  const said = interpret(reading, schema)
  const lacking = lackingTrees(reading)
  const seen = withoutConsequences(withoutRepeats(said.observations), reading)
  const counted = withoutMiscounts(seen, reading)
  const understood = withoutForeignIndexes(counted, reading, lacking)
  const explained = explainThrows(understood, said.found, schema, wholeTables(reading), lacking.tables)
  const merged = mergeFound(explained.observations, said.found)
  const findings = judgeContent([...gather(merged.observations), ...merged.found]).toSorted(byGravity(schema))
  const unread = unreadOf(reading, context, said.unread, merged.observations)
  const [first, ...rest] = findings.filter(({ severity }) => severity !== 'notice')
  if (first)
    return damaged(
      [first, ...rest],
      findings,
      unread.filter((part) => !explained.covers(part)).map(({ clause }) => clause),
    )
  if (unread.length > 0) return inconclusive(unread)
  return {
    verdict: { kind: 'sound' },
    damage: 'none',
    findings,
    remedy: nothingToMend(nothingFound(), null),
    causes: [],
  }

  function damaged(damage: NonEmpty<Finding>, all: readonly Finding[], unreadClauses: readonly string[]): Diagnosis {
    const weighed = weigh(damage, merged.observations, schema)
    const verdict: Verdict = { kind: 'damaged', findings: tellSalvage(damage, weighed.witnesses) }
    const unsettled = { unread: unreadClauses, depth: reading.depth }
    const remedy = remedyFor(damage, weighed, unsettled, context, schema)
    return {
      verdict,
      damage: weighed.damage,
      findings: tellSalvage(all, weighed.witnesses),
      remedy,
      causes: [...weighed.causes, ...causesOf(damage, context), ...writerOf(reading, context)],
    }
  }

  function inconclusive(parts: readonly UnreadPart[]): Diagnosis {
    const clauses = parts.map(({ clause }) => clause)
    const reason =
      'not everything was read: ' +
      (clauses.length > clausesMax
        ? `${clauses.slice(0, clausesMax).join('; ')}; and ${clauses.length - clausesMax} more`
        : clauses.join('; '))
    // The same check comes to the same end.
    const topic = parts.find((part) => part.topic !== 'inconclusive')?.topic ?? 'inconclusive'
    return {
      verdict: { kind: 'inconclusive', reason },
      damage: 'none',
      findings,
      remedy: nothingToMend(reason, `holdfast explain ${topic}`),
      causes: writerOf(reading, context),
    }
  }

  function nothingFound(): string {
    const content = findings.some(({ rule }) => rule !== 'other-names')
    const what =
      findings.length === 0
        ? 'nothing was found'
        : `only notices were found${content ? ': the application may have written such content itself' : ''}`
    return reading.depth === 'quick' ? `${what}; a quick check does not compare rows with index entries` : what
  }
}

/** A reason names at most this many parts that were not read. */
const clausesMax = 3

interface Said {
  readonly observations: readonly Observation[]
  readonly found: readonly Finding[]
  readonly unread: readonly Unread[]
}

function interpret(reading: Reading, schema: SchemaView): Said {
  const observations: Observation[] = []
  const found: Finding[] = []
  const unread: Unread[] = []
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
        // What is merely not understood stands in the coverage.
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

/**
 * Worst first, notices last; then by rule, object and page, so that the same damage is always told in the same order.
 */
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
