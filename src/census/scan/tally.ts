/**
 * What a scan has counted. Every number in it is a sum. So tallies of different page ranges are merged by adding them,
 * in any order. It is plain data, so that it can be sent between processes.
 */

import { invariant } from '../../model/bug.ts'
import type { RowKey, Rule, Severity } from '../../model/result/finding.ts'
import type { CensusPlan } from '../plan.ts'

const numbersEach = 3
/** Notes of one rule about one tree that are listed one by one. */
const notesEachMax = 20

/** Something wrong on a page. */
export interface Note {
  readonly rule: Rule
  readonly severity: Severity
  /** Position in the plan. */
  readonly tree: number
  readonly page: number
  /** The row or entry concerned; empty if its key cannot be read. */
  readonly rows: readonly RowKey[]
  readonly text: string
}

export interface CensusTally {
  /** The key of the fingerprints: two random numbers of 32 bits. All tallies of one run have the same key. */
  readonly key: readonly [number, number]
  /** Per tree: rows or entries. */
  readonly entries: Float64Array
  /** Per tree: bytes of all payloads, overflow included. */
  readonly bytes: Float64Array
  /** Per tree: b-tree pages. */
  readonly pages: Float64Array
  /** Per tree: two sums of 32 bits of the content of a table, which do not depend on its pages. */
  readonly digests: Int32Array
  readonly buckets: number
  /**
   * Per tree and bucket: two sums of fingerprints and a number of entries, expected minus actual. All are zero if index
   * and table agree.
   */
  readonly sums: Int32Array
  readonly notes: Note[]
  /** Per `rule tree`: number of notes, listed or not. */
  readonly noted: Map<string, number>
  /** Trees with something that could not be read, and what it was. */
  readonly unread: Map<number, string>
  /** Pages scanned, of all kinds. */
  scanned: number
}

/** @param key two random numbers, the same for all workers of a run; the maker of a file must not know them */
export function emptyTally(plan: CensusPlan, key: readonly [number, number]): CensusTally {
  const trees = plan.trees.length
  return {
    key,
    entries: new Float64Array(trees),
    bytes: new Float64Array(trees),
    pages: new Float64Array(trees),
    digests: new Int32Array(2 * trees),
    buckets: plan.buckets,
    sums: new Int32Array(trees * plan.buckets * numbersEach),
    notes: [],
    noted: new Map(),
    unread: new Map(),
    scanned: 0,
  }
}

/** Adds a fingerprint to the sums of an index. @param sign 1: the index must hold the entry, -1: it does hold it */
export function addEntry(tally: CensusTally, tree: number, sign: 1 | -1, low: number, high: number): void {
  const { sums, buckets } = tally
  const at = (tree * buckets + bucketOf(low, high, buckets)) * numbersEach
  if (sign === 1) {
    sums[at] = ((sums[at] ?? 0) + low) | 0
    sums[at + 1] = ((sums[at + 1] ?? 0) + high) | 0
    sums[at + 2] = ((sums[at + 2] ?? 0) + 1) | 0
  } else {
    sums[at] = ((sums[at] ?? 0) - low) | 0
    sums[at + 1] = ((sums[at + 1] ?? 0) - high) | 0
    sums[at + 2] = ((sums[at + 2] ?? 0) - 1) | 0
  }
}

export const bucketOf = (low: number, high: number, buckets: number): number => (high ^ low) & (buckets - 1)

/** Adds the content of a row to the digest of its table. */
export function addContent(tally: CensusTally, tree: number, low: number, high: number): void {
  tally.digests[2 * tree] = ((tally.digests[2 * tree] ?? 0) + low) | 0
  tally.digests[2 * tree + 1] = ((tally.digests[2 * tree + 1] ?? 0) + high) | 0
}

export function note(tally: CensusTally, seen: Note): void {
  const kind = `${seen.rule} ${seen.tree}`
  const count = (tally.noted.get(kind) ?? 0) + 1
  tally.noted.set(kind, count)
  if (count <= notesEachMax) tally.notes.push(seen)
}

/** Adds `from` to `into`. */
export function mergeTallies(into: CensusTally, from: CensusTally): void {
  invariant(
    into.sums.length === from.sums.length && into.key[0] === from.key[0] && into.key[1] === from.key[1],
    'tallies of different runs cannot be added',
  )
  addReals(into.entries, from.entries)
  addReals(into.bytes, from.bytes)
  addReals(into.pages, from.pages)
  addWords(into.digests, from.digests)
  addWords(into.sums, from.sums)
  for (const seen of from.notes)
    if (into.notes.filter(({ rule, tree }) => rule === seen.rule && tree === seen.tree).length < notesEachMax)
      into.notes.push(seen)
  for (const [kind, count] of from.noted) into.noted.set(kind, (into.noted.get(kind) ?? 0) + count)
  for (const [tree, why] of from.unread) if (!into.unread.has(tree)) into.unread.set(tree, why)
  into.scanned += from.scanned
}

function addReals(into: Float64Array, from: Float64Array): void {
  for (let i = 0; i < into.length; i++) into[i] = (into[i] ?? 0) + (from[i] ?? 0)
}

function addWords(into: Int32Array, from: Int32Array): void {
  for (let i = 0; i < into.length; i++) into[i] = ((into[i] ?? 0) + (from[i] ?? 0)) | 0
}

/** Buckets of an index whose sums differ: they have missing or extra entries. */
export function unequalBuckets(tally: CensusTally, tree: number): readonly number[] {
  const unequal: number[] = []
  for (let bucket = 0; bucket < tally.buckets; bucket++) {
    const at = (tree * tally.buckets + bucket) * numbersEach
    if (tally.sums[at] !== 0 || tally.sums[at + 1] !== 0 || tally.sums[at + 2] !== 0) unequal.push(bucket)
  }
  return unequal
}

/** Sixteen hex digits. Equal for two tables that hold the same rows, even if their pages differ. */
export function tableDigest(tally: CensusTally, tree: number): string {
  const word = (at: number): string => ((tally.digests[at] ?? 0) >>> 0).toString(16).padStart(8, '0')
  return word(2 * tree) + word(2 * tree + 1)
}
