/**
 * SQLite's full check says that entries of an index are wrong, or that keys are there twice. It gives no row, and takes
 * an entry without a row for a key that the table holds twice. The census looks at the same indexes and names the rows.
 */
import type { CensusPlan } from '../../../census/plan.ts'
import type { Finding } from '../../../model/result/finding.ts'
import type { Fact } from '../../../model/result/reading.ts'
import { beginCounting } from '../../count-pages.ts'
import type { Reader, ReadingBuilder } from '../../reading-builder.ts'

/** What comes before the name of an index or a table, which may hold anything. */
const beforeName = [
  'wrong # of entries in index ',
  'row \\d+ missing from index ',
  'row \\d+ values differ from index ',
  'rowid not at end-of-record for row \\d+ of index ',
  'non-unique entry in index ',
  'row not in PRIMARY KEY order for ',
]
const ofEntries = new RegExp(`^(?:${beforeName.join('|')})([\\s\\S]+)$`)

/** Names of the indexes and tables of which SQLite says such a thing. */
function spokenOf(facts: readonly Fact[]): ReadonlySet<string> {
  return new Set(facts.flatMap((fact) => (fact.kind === 'message' ? (ofEntries.exec(fact.text)?.[1] ?? []) : [])))
}

/**
 * Findings on what SQLite's words are about; none where the census cannot be made.
 * @param child that has opened the database for SQLite
 */
export async function nameByCensus(
  reading: ReadingBuilder,
  child: Reader,
  plan: CensusPlan,
): Promise<readonly Finding[]> {
  const names = spokenOf(reading.facts)
  if (names.size === 0) return []
  const { memoryBytesMax, showValues } = reading.limits
  const { key, ranges } = beginCounting(plan)
  const ready = await reading.step(child, { step: 'plan', plan, key, memoryBytesMax: Math.floor(memoryBytesMax / 2) })
  if (ready?.kind !== 'ready') return []
  for (let range = ranges.take(); range !== null; range = ranges.take())
    if ((await reading.step(child, { step: 'scan', ...range })) === null) return []
  const compared = await reading.step(child, { step: 'compare', plan, key, map: false, showValues, tallies: [] })
  return compared?.findings.filter(({ object }) => names.has(object.name)) ?? []
}
