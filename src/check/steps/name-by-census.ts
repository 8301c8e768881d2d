/**
 * SQLite's full check says that entries of an index are wrong, or that keys are there twice. It names no row, and calls
 * an entry without a row a key that the table holds twice. The census counts the same indexes and names the rows.
 */
import type { CensusPlan } from '../../census/plan.ts'
import type { Finding } from '../../model/result/finding.ts'
import type { Fact } from '../../model/result/reading.ts'
import type { Reader } from '../protocol.ts'
import type { ReadingBuilder } from '../reading-builder.ts'
import { beginCounting } from './census-steps.ts'

/** What comes before the name of an index or a table, which may hold any characters. */
const beforeName = [
  'wrong # of entries in index ',
  'row \\d+ missing from index ',
  'row \\d+ values differ from index ',
  'rowid not at end-of-record for row \\d+ of index ',
  'non-unique entry in index ',
  'row not in PRIMARY KEY order for ',
]
const ofEntries = new RegExp(`^(?:${beforeName.join('|')})([\\s\\S]+)$`)

/** Names of the indexes and tables with such a message. */
function namesIn(facts: readonly Fact[]): ReadonlySet<string> {
  return new Set(facts.flatMap((fact) => (fact.kind === 'message' ? (ofEntries.exec(fact.text)?.[1] ?? []) : [])))
}

/**
 * @param reader has opened the schema
 * @returns findings about the indexes and tables that SQLite's messages name; none if the census cannot be made
 */
export async function nameByCensus(
  reading: ReadingBuilder,
  reader: Reader,
  plan: CensusPlan,
): Promise<readonly Finding[]> {
  const names = namesIn(reading.facts)
  if (names.size === 0) return []
  const { key } = reading
  const { memoryBytesMax, showValues } = reading.limits
  const { ranges } = beginCounting(plan)
  const ready = await reading.step(reader, { step: 'plan', plan, key, memoryBytesMax: Math.floor(memoryBytesMax / 2) })
  if (ready?.kind !== 'ready') return []
  for (let range = ranges.take(); range !== null; range = ranges.take())
    if ((await reading.step(reader, { step: 'scan', ...range })) === null) return []
  const compared = await reading.step(reader, { step: 'compare', plan, key, map: false, showValues, tallies: [] })
  return compared?.findings.filter(({ object }) => names.has(object.name)) ?? []
}
