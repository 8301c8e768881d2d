/**
 * The second reading: the file as it was, without the WAL or journal that was written into it. It tells whether damage
 * came from the companion. Bounded: only where something was found, and within the time that the first reading left.
 */
import type { Rule } from '../model/result/finding.ts'
import type { Fact, Reading } from '../model/result/reading.ts'
import { readSnapshot, type ReaderSet } from './read-snapshot.ts'
import { ReadingBuilder, type ReadingLimits } from './reading-builder.ts'

/** Does it pay? What a cut log has lost, and what is merely unread, says nothing of the pages that recovery wrote. */
export function isWorthReadingWithout({ facts, recovered }: Reading): boolean {
  // null: SQLite could not recover the file, or its pages were not kept, which the child then says.
  if (recovered === null || recovered.pagesChanged === 0) return false
  return !facts.some(({ kind }) => kind === 'child-ended') && facts.some(speaksOfDamage)
}

/** A companion that is cut is cut whatever the file is without it. */
const cutRules: ReadonlySet<Rule> = new Set<Rule>(['wal-cut', 'journal-cut'])

function speaksOfDamage(fact: Fact): boolean {
  if (fact.kind === 'found') return fact.finding.severity !== 'notice' && !cutRules.has(fact.finding.rule)
  return fact.kind === 'message' || fact.kind === 'thrown'
}

/** @param readers fresh ones: the others may be what the file made of them */
export async function readWithout(readers: ReaderSet, limits: ReadingLimits, first: Reading): Promise<Reading> {
  const { recovered } = first
  const timeoutMs = limits.timeoutMs - first.checkMs
  if (recovered === null || timeoutMs <= 0) return first
  const within: ReadingLimits = {
    ...limits,
    timeoutMs,
    map: false,
    digesting: { kind: 'none' },
    showValues: false,
    onProgress: () => {},
  }
  const answer = await new ReadingBuilder(within).step(readers.pages, { step: 'undoRecovery' })
  if (answer?.done !== true) return first
  const without = await readSnapshot(readers, within)
  await new ReadingBuilder(within).step(readers.pages, { step: 'restoreCompanions' })
  return { ...first, recovered: { ...recovered, without } }
}
