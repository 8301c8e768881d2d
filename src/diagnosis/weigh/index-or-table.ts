/** Where an index and its table disagree and nothing shows which of them is right. */

import type { Finding, Rule } from '../../model/result/finding.ts'
import { count } from '../../text/count.ts'
import { disagreementRules } from '../messages/merge.ts'
import type { Observation } from '../messages/observation.ts'
import type { SchemaView } from '../messages/schema-view.ts'

/** Rules of messages of SQLite that are about one row of an index. */
export const saysRow: ReadonlySet<Rule> = new Set<Rule>(['row-missing-from-index', 'entry-differs-from-row'])
/** Rules of messages of SQLite that an index and its table disagree. */
export const saysDifference: ReadonlySet<Rule> = new Set<Rule>([...saysRow, 'index-count-differs'])

/** Names of the indexes that are wrong whatever their table holds. */
export const brokenIndexes = (findings: readonly Finding[]): ReadonlySet<string> =>
  new Set(
    findings
      .filter(({ rule, object }) => object.kind === 'index' && saysBrokenInItself.has(rule))
      .map(({ object }) => object.name),
  )

const saysBrokenInItself = new Set([
  'page-malformed',
  'page-unreadable',
  'page-out-of-range',
  'wrong-depth',
  'overflow-broken',
  'index-out-of-order',
  'page-used-twice',
  'record-malformed',
])

/**
 * Sound indexes that disagree with their table where no other index shows which is right. An index beside others is
 * among them if its entries differ from their rows: another index says nothing about the columns of this one.
 */
export function undecidedIndexes(
  findings: readonly Finding[],
  observations: readonly Observation[],
  schema: SchemaView,
): readonly { readonly index: string; readonly why: string }[] {
  const broken = brokenIndexes(findings)
  const differing = [
    ...observations.filter(({ rule }) => saysDifference.has(rule)),
    ...findings.filter(({ rule }) => disagreementRules.has(rule)),
  ]
  const names = new Map(
    differing.filter(({ object }) => object.kind === 'index').map(({ object }) => [object.name, object.table]),
  )
  const otherValues = new Set(
    findings.flatMap(({ rule, object }) => (rule === 'entry-differs-from-row' ? [object.name] : [])),
  )
  return [...names]
    .flatMap(([name, table]) => {
      if (table === null || broken.has(name)) return []
      if (schema.indexesOf(table).length > 1 && !otherValues.has(name)) return []
      return [{ index: name, why: describeBothReadings(name, table, findings) }]
    })
    .toSorted((a, b) => (a.why < b.why ? -1 : 1))
}

/** What is wrong if the table is right, and what if the index is right. */
function describeBothReadings(index: string, table: string, findings: readonly Finding[]): string {
  const clausesOf = (describe: (rule: Rule, total: number) => string): string =>
    (['row-missing-from-index', 'entry-without-row', 'entry-differs-from-row'] as const)
      .flatMap((rule) => {
        const found = findings.filter((finding) => finding.rule === rule && finding.object.name === index)
        const total = found.reduce((sum, finding) => sum + (finding.total ?? 1), 0)
        return total === 0 ? [] : [describe(rule, total)]
      })
      .join(' and ')
  const ofIndex = clausesOf((rule, total) => {
    if (rule === 'row-missing-from-index') return `lacks ${count(total, 'row')}`
    if (rule === 'entry-without-row') return `has ${count(total, 'entry', 'entries')} without a row`
    return `has other values for ${count(total, 'row')}`
  })
  const ofTable = clausesOf((rule, total) => {
    if (rule === 'row-missing-from-index') return `has ${count(total, 'row')} too many`
    if (rule === 'entry-without-row') return `has lost ${count(total, 'row')}`
    return `has other values in ${count(total, 'row')}`
  })
  return (
    `nothing shows whether the index ${index} or its table ${table} is right. ` +
    `If the table is right: the index ${ofIndex || 'is wrong'}, and a rebuild mends it. ` +
    `If the index is right: the table ${ofTable || 'is wrong'}, and a rebuild makes that permanent`
  )
}
