/**
 * The second reading: the file as it was, without the WAL or journal that was written into it. It shows whether the
 * damage came from that companion. It is made only if something was found, in the time that the first reading has left.
 */
import type { Rule } from '../model/result/finding.ts'
import type { Fact, Reading } from '../model/result/reading.ts'
import { readSnapshot, type ReaderSet } from './read-snapshot.ts'
import { ReadingBuilder, type ReadingLimits } from './reading-builder.ts'

/** True if damage may come from the pages that recovery wrote. A cut WAL or an unread page is no sign of that. */
export function isWorthReadingWithout({ facts, recovered }: Reading): boolean {
  // If pagesChanged is null, `undoRecovery` finds out whether the pages were kept.
  if (recovered === null || recovered.pagesChanged === 0) return false
  return !facts.some(({ kind }) => kind === 'child-ended') && facts.some(isSignOfDamage)
}

/** About the companion alone: the file without it has no such finding. */
const cutRules: ReadonlySet<Rule> = new Set<Rule>(['wal-cut', 'journal-cut'])

function isSignOfDamage(fact: Fact): boolean {
  if (fact.kind === 'found') return fact.finding.severity !== 'notice' && !cutRules.has(fact.finding.rule)
  return fact.kind === 'message' || fact.kind === 'thrown'
}

/**
 * @param readers with fresh processes: a file may have taken over the others
 * @returns `first`, with the second reading in it if there was one
 */
export async function readWithout(readers: ReaderSet, limits: ReadingLimits, first: Reading): Promise<Reading> {
  const { recovered } = first
  const timeoutMs = limits.timeoutMs - first.checkMs
  if (recovered === null || timeoutMs <= 0) return first
  const rest: ReadingLimits = {
    ...limits,
    timeoutMs,
    map: false,
    digesting: { kind: 'none' },
    showValues: false,
    onProgress: () => {},
  }
  const answer = await new ReadingBuilder(rest).step(readers.pages, { step: 'undoRecovery' })
  if (answer?.done !== true) return first
  const without = await readSnapshot(readers, rest)
  await new ReadingBuilder(rest).step(readers.pages, { step: 'restoreCompanions' })
  return { ...first, recovered: { ...recovered, without } }
}
