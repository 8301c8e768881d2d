/** Notices about tables that have lost their rows since the last sound check. Applications do that too. Pure. */

import type { Finding } from '../../model/result/finding.ts'
import type { LastGood } from '../../model/result/last-good.ts'
import type { Reading } from '../../model/result/reading.ts'
import { groupDigits } from '../../text/count.ts'
import { nameObject } from '../sentence.ts'

/** Smaller tables are often emptied: queues, sessions, caches. */
const rowsForEmpty = 500
/** A table of so many rows that now has fewer than a tenth of them. */
const rowsForDrop = 10_000
const shareLeft = 0.1
/** More are counted in the last finding. */
const listedMax = 20

type ReadingWithCounts = Pick<Reading, 'content' | 'objects' | 'depth' | 'complete'>

/** Compares only tables whose rows were counted now. Shadow tables of full-text indexes and the like are left out. */
export function rowsGone(
  { content: { tables: before }, standing, run }: Pick<LastGood, 'content' | 'standing' | 'run'>,
  reading: ReadingWithCounts,
): readonly Finding[] {
  const since = `the last sound check (${new Date(standing.provenAt).toISOString()}, run ${run})`
  const shadows = new Set(reading.objects.flatMap(({ name, shadowOf }) => (shadowOf === null ? [] : [name])))
  const now = new Map(reading.content.map((table) => [table.name, table]))
  const digests = new Set(reading.content.map(({ digest }) => digest))
  const dropped = (name: string): boolean =>
    reading.complete && reading.depth === 'full' && reading.objects.every((object) => object.name !== name)
  const all = before.flatMap(({ name, rows, digest }): readonly Finding[] => {
    if (shadows.has(name) || rows < rowsForEmpty) return []
    const left = now.get(name)?.rows
    const had = `had ${groupDigits(rows)} rows at ${since}`
    if (left === 0) return [findingOf(name, rows, `${nameOf(name)} has no rows; it ${had}`)]
    if (left !== undefined && rows >= rowsForDrop && left < rows * shareLeft)
      return [findingOf(name, rows - left, `${nameOf(name)} has ${groupDigits(left)} rows; it ${had}`)]
    // A table with the same content under a new name was renamed.
    if (left === undefined && dropped(name) && !(digest !== null && digests.has(digest)))
      return [findingOf(name, rows, `${nameOf(name)} is not there any more; it ${had}`)]
    return []
  })
  const [first, ...more] = all.slice(listedMax - 1)
  return first === undefined || more.length === 0
    ? all
    : [...all.slice(0, listedMax - 1), { ...first, text: `${first.text}; and ${more.length} more tables like this` }]
}

const nameOf = (name: string): string => nameObject({ kind: 'table', name, table: name })

const findingOf = (name: string, total: number, text: string): Finding => ({
  rule: 'rows-gone',
  severity: 'notice',
  source: 'ledger',
  object: { kind: 'table', name, table: name },
  total,
  text,
})
