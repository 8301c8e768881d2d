/** The order of a triage: which file is suspected, and why (README.md of this folder). Pure. */

import type { LastResult } from '../../ledger/ledger.ts'
import { ageOf } from '../../model/age.ts'
import { suspicionReasons, type Suspicion, type SuspicionReason } from '../../model/result/report.ts'
import { humanBytes, humanMs } from '../../text/units.ts'
import type { Target } from '../begin/target.ts'

/** What was seen of a file without a pause. */
export interface FileFacts {
  /** Bytes of the database, its WAL and its journal; null if it could not be seen. */
  readonly bytes: number | null
  /** When any of the three was last written, in ms since 1970; null if that could not be seen. */
  readonly writtenAt: number | null
  /**
   * What no program has locked: a journal, a WAL whose index (`-shm`) is gone, or a WAL as each crash leaves it. All
   * with bytes; null for none.
   */
  readonly left: 'journal' | 'orphaned-wal' | 'wal' | null
}

export interface SuspectFacts {
  readonly target: Target
  readonly file: FileFacts
  /** The newest check of the file; null if there was none, or without a ledger. */
  readonly last: LastResult | null
  /** What the service, or who asked for the triage, says of the tenant; null for nothing. */
  readonly said: string | null
}

export interface SuspicionTerms {
  /** ms since 1970. */
  readonly now: number
  /** When the service crashed, as far as it is known, in ms since 1970; else null. */
  readonly crashedAt: number | null
  /** False without a ledger: then no file is called unchecked. */
  readonly hasLedger: boolean
  readonly statusTenant: string | null
}

export interface Suspect {
  readonly target: Target
  /** The strongest first; empty if nothing speaks against the file. */
  readonly suspicion: readonly Suspicion[]
}

/** A nightly sweep checks each tenant in less. */
const longAgoMs = 48 * 3_600_000
/** A write that is older has nothing to do with the crash. */
const beforeCrashMsMax = 10 * 60_000
/** Clocks of files tick in milliseconds, and the start of a process is known to a hundredth of a second. */
const crashSlackMs = 1_000
/** So many files that were written last before the crash are named. */
const writtenLastMax = 5
/** So many files are called big: those of at least this size that are several times as large as most. */
const bigMax = 3
const bigBytesMin = 64_000_000
const bigFactor = 4

/**
 * All files, the most suspicious first. The status tenant comes before all others (I1.9). Each reason weighs more than
 * all weaker ones together. Of two files with the same reasons, the one whose last sound check is older comes first,
 * then the one that was written last.
 */
export function orderBySuspicion(facts: readonly SuspectFacts[], terms: SuspicionTerms): readonly Suspect[] {
  const writtenLast = writtenBefore(facts, terms)
  const big = bigOnes(facts)
  return facts
    .map((one) => ({ one, suspicion: suspicionOf(one, writtenLast, big, terms) }))
    .map(({ one, suspicion }) => ({ target: one.target, suspicion, rank: rankOf(one, suspicion, terms) }))
    .toSorted((a, b) => compareRanks(a.rank, b.rank))
    .map(({ target, suspicion }) => ({ target, suspicion }))
}

/** How much the reasons of a file weigh together. */
export const weightOf = (suspicion: readonly Pick<Suspicion, 'reason'>[]): number =>
  suspicion.reduce((sum, { reason }) => sum + 2 ** (suspicionReasons.length - 1 - suspicionReasons.indexOf(reason)), 0)

type Rank = readonly [leads: number, weight: number, settledAt: number, writtenAt: number]

const rankOf = (
  { target, last, file }: SuspectFacts,
  suspicion: readonly Suspicion[],
  { statusTenant, now }: SuspicionTerms,
): Rank => [
  target.tenant !== null && target.tenant === statusTenant ? 0 : 1,
  -weightOf(suspicion),
  last?.settled == null || ageOf(last.settled.at, now) === null ? 0 : last.settled.at,
  -(file.writtenAt ?? 0),
]

function compareRanks(a: Rank, b: Rank): number {
  for (const [at, value] of a.entries()) {
    const other = b[at] ?? 0
    if (value !== other) return value - other
  }
  return 0
}

function suspicionOf(
  facts: SuspectFacts,
  writtenLast: ReadonlySet<Target>,
  big: ReadonlySet<Target>,
  { now, crashedAt, hasLedger }: SuspicionTerms,
): readonly Suspicion[] {
  const { target, file, last, said } = facts
  const settled = last?.settled ?? null
  const settledAgeMs = settled === null ? null : ageOf(settled.at, now)
  const seen: Partial<Record<SuspicionReason, string>> = {
    ...(said === null ? {} : { 'named-by-service': said }),
    ...(settled?.verdict === 'damaged' ? { 'known-damage': knownDamage(settled.damage, settledAgeMs) } : {}),
    ...(file.left === null ? {} : { [file.left === 'wal' ? 'open-at-crash' : 'left-by-crash']: leftWords[file.left] }),
    ...(writtenLast.has(target) && file.writtenAt !== null && crashedAt !== null
      ? { 'written-before-crash': `it is one of the last that were written, at ${timeText(file.writtenAt)}` }
      : {}),
    ...(hasLedger && settled === null ? { 'never-checked': neverWords(last) } : {}),
    ...(settled !== null && (settledAgeMs ?? Infinity) > longAgoMs
      ? { 'checked-long-ago': `its last full check was ${agoWords(settledAgeMs)}` }
      : {}),
    ...(big.has(target) && file.bytes !== null ? { big: `it is one of the largest: ${humanBytes(file.bytes)}` } : {}),
  }
  return suspicionReasons.flatMap((reason) => {
    const text = seen[reason]
    return text === undefined ? [] : [{ reason, text }]
  })
}

const agoWords = (ageMs: number | null): string => (ageMs === null ? 'at no known time' : `${humanMs(ageMs)} ago`)

const leftWords = {
  journal: 'a journal with bytes lies beside it, and no program has it locked: a transaction was broken off',
  'orphaned-wal': 'a write-ahead log without its index lies beside it, and no program has it open',
  wal: 'its write-ahead log was left by a crash, and no program has opened it since',
} as const

const knownDamage = (damage: string, ageMs: number | null): string =>
  `it is known to be damaged (${damage}${ageMs === null ? '' : `, ${humanMs(ageMs)} ago`})`

const neverWords = (last: LastResult | null): string =>
  last === null ? 'it was never checked' : `it was never fully checked (last: ${last.failure ?? last.verdict})`

const timeText = (at: number): string => new Date(at).toISOString()

/** The files that were written last before the crash, and not since. */
function writtenBefore(facts: readonly SuspectFacts[], { crashedAt }: SuspicionTerms): ReadonlySet<Target> {
  if (crashedAt === null) return new Set()
  const before = facts
    .flatMap(({ target, file: { writtenAt } }) => (writtenAt === null ? [] : [{ target, writtenAt }]))
    .filter(({ writtenAt }) => writtenAt <= crashedAt + crashSlackMs && crashedAt - writtenAt <= beforeCrashMsMax)
  return firstOf(before, (a, b) => b.writtenAt - a.writtenAt, writtenLastMax)
}

function bigOnes(facts: readonly SuspectFacts[]): ReadonlySet<Target> {
  const sized = facts.flatMap(({ target, file: { bytes } }) => (bytes === null ? [] : [{ target, bytes }]))
  const median = sized.map(({ bytes }) => bytes).toSorted((a, b) => a - b)[Math.floor(sized.length / 2)] ?? 0
  const big = sized.filter(({ bytes }) => bytes >= Math.max(bigBytesMin, bigFactor * median))
  return firstOf(big, (a, b) => b.bytes - a.bytes, bigMax)
}

const firstOf = <Item extends { readonly target: Target }>(
  items: readonly Item[],
  compare: (a: Item, b: Item) => number,
  most: number,
): ReadonlySet<Target> =>
  new Set(
    items
      .toSorted(compare)
      .slice(0, most)
      .map(({ target }) => target),
  )
