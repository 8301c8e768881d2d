/**
 * AssemblyScript, compiled to WebAssembly by scripts/build/build.sh: counts the pages on which all is as it should be,
 * in less than half the time that JavaScript takes (src/census/fast/fast-counter.ts says what it leaves alone).
 *
 * This file: how the memory is divided. The other side (src/census/fast/fast-counter.ts,
 * src/census/fast/plan-layout.ts) fills it with the plan and with pages. Behind the pages lie other parts, so that
 * whole words may be loaded where only their first bytes belong to a value.
 */

/** One column of a record, decoded and normalised as src/census/record/columns.ts has it: 24 bytes. */
export const columnBytes = 24
/** 0 null, 1 integer, 2 real, 3 text, 4 BLOB. */
export const atKind = 0
/** Text and BLOBs: bytes. */
export const atLength = 4
/** Integers and reals: the 64 bits; text and BLOBs: the address. */
export const atValue = 8
/** The words that stand for it in a fingerprint: where, and how many. */
export const atWords = 16
export const atWordCount = 20

/** A tree of the plan: 56 bytes. */
export const treeColumnsMax = 0
/** Position of the INTEGER PRIMARY KEY; -1 where there is none. */
export const treeAlias = 4
/** Columns with the values of rows that are too old to have them. */
export const treeAbsent = 8
/** Plain indexes of a table: how many, and where. */
export const treeIndexCount = 12
export const treeIndexes = 16
/** Parts of the key by which entries are ordered: how many, and where; 8 bytes each: collation, descending. */
export const treePartCount = 20
export const treeParts = 24
export const treeOrdered = 28
export const treeUniqueParts = 32
export const treeEndsWithRowid = 36
/** The sums of an index; 0 for tables. */
export const treeSums = 40
/** What has been counted: entries, the two words of the content digest, and bytes as a real from `countedBytes` on. */
export const treeCounted = 44

/** A plain index as its table sees it: 12 bytes. */
export const indexBytes = 12
export const indexSums = 0
export const indexSourceCount = 4
/** Positions in the row, one word each; -1 for the rowid. */
export const indexSources = 8

export const countedEntries = 0
export const countedDigest = 4
export const countedBytes = 16

export let usable: i32 = 0
export let pageSize: i32 = 0
export let encoding: i32 = 0
export let buckets: i32 = 0
/** Most bytes of a payload that stay on a page, and how many do of one that is longer. */
export let rowBytesMax: i32 = 0
export let entryBytesMax: i32 = 0
export let spilledBytesMin: i32 = 0
/** Three rows of columns. */
export let columnsA: usize = 0
export let columnsB: usize = 0
export let columnsC: usize = 0
/** Words of the columns and entries of one page. */
export let words: usize = 0
export let wordsEnd: usize = 0
/**
 * Two rooms for payloads that reach into overflow pages: an entry, and the one before it. Longer ones are not plain.
 */
export let payloads: usize = 0
export let payloadBytesMax: i32 = 0
/** The pages at hand: where, the number of the first, and how many. */
export let piece: usize = 0
export let pieceFirst: u32 = 0
export let pieceCount: u32 = 0

/** Addresses are those of this memory. */
export function begin(ofPage: i32, ofUsable: i32, ofRow: i32, ofEntry: i32, spilled: i32, textEncoding: i32, bucketCount: i32, columnsAt: usize, columnsEach: usize, wordsAt: usize, wordsTo: usize, payloadsAt: usize, payloadMax: i32): void {
  pageSize = ofPage
  usable = ofUsable
  rowBytesMax = ofRow
  entryBytesMax = ofEntry
  spilledBytesMin = spilled
  encoding = textEncoding
  buckets = bucketCount
  columnsA = columnsAt
  columnsB = columnsAt + columnsEach
  columnsC = columnsAt + 2 * columnsEach
  words = wordsAt
  wordsEnd = wordsTo
  payloads = payloadsAt
  payloadBytesMax = payloadMax
}

export function beginPiece(at: usize, first: u32, count: u32): void {
  piece = at
  pieceFirst = first
  pieceCount = count
}
