/**
 * Where things lie in the memory of the compiled core.
 *
 * The other side fills this memory: src/census/fast/fast-counter.ts with the pages, src/census/fast/plan-layout.ts with
 * the plan. Something always lies behind the pages. So the core may load a whole word even if only its first bytes
 * belong to a value.
 */

/** One column of a record, decoded and normalised as src/census/record/columns.ts does it. Bytes. */
export const columnBytes = 24
/** 0 null, 1 integer, 2 real, 3 text, 4 BLOB. */
export const atKind = 0
/** Bytes of a text or BLOB. */
export const atLength = 4
/** The 64 bits of an integer or real; the address of a text or BLOB. */
export const atValue = 8
/** Address and number of the words that stand for the column in a fingerprint. */
export const atWords = 16
export const atWordCount = 20

/** A tree of the plan is 48 bytes. These are the offsets of its fields. */
export const treeColumnsMax = 0
/** Position of the INTEGER PRIMARY KEY; -1 if there is none. */
export const treeAlias = 4
/** Address of columns with default values, for rows that are older than a column. */
export const treeAbsent = 8
/** Number and address of the plain indexes of a table. */
export const treeIndexCount = 12
export const treeIndexes = 16
/** Number and address of the key parts by which entries are ordered. A part is 8 bytes: collation, descending. */
export const treePartCount = 20
export const treeParts = 24
export const treeOrdered = 28
export const treeUniqueParts = 32
export const treeEndsWithRowid = 36
/** Address of the sums of an index; 0 for a table. */
export const treeSums = 40
/** Address of the counts of the tree: the three fields below. */
export const treeCounted = 44

/** A plain index as its table sees it. Bytes. */
export const indexBytes = 12
export const indexSums = 0
export const indexSourceCount = 4
/** Address of positions in the row, one word each; -1 stands for the rowid. */
export const indexSources = 8

/** Counts of a tree: entries, the two words of the content digest, and the bytes of all payloads as a real. */
export const countedEntries = 0
export const countedDigest = 4
export const countedPayloadBytes = 16

export let usable: i32 = 0
export let pageSize: i32 = 0
export let encoding: i32 = 0
export let buckets: i32 = 0
/** Most bytes of a payload that stay on a page of a table, or of an index. */
export let rowBytesMax: i32 = 0
export let entryBytesMax: i32 = 0
/** Fewest bytes that stay on the page if the payload is longer. */
export let leastLocalBytes: i32 = 0
/** Three arrays of columns. */
export let columnsA: usize = 0
export let columnsB: usize = 0
export let columnsC: usize = 0
/** Words of the columns and entries of one page. */
export let words: usize = 0
export let wordsEnd: usize = 0
/**
 * Two buffers for payloads that reach into overflow pages: one for an entry, one for the entry before it. A page with a
 * longer payload is not plain.
 */
export let payloads: usize = 0
export let payloadBytesMax: i32 = 0
/** Consecutive pages: address, number of the first page, number of pages. */
export let piece: usize = 0
export let pieceFirst: u32 = 0
export let pieceCount: u32 = 0

/** Sets the layout for one plan. All addresses are addresses of this memory. */
export function beginPlan(
  planPageSize: i32,
  planUsable: i32,
  planRowBytesMax: i32,
  planEntryBytesMax: i32,
  planLeastLocalBytes: i32,
  planEncoding: i32,
  planBuckets: i32,
  columnsAt: usize,
  columnsEach: usize,
  wordsAt: usize,
  wordsTo: usize,
  payloadsAt: usize,
  planPayloadBytesMax: i32,
): void {
  pageSize = planPageSize
  usable = planUsable
  rowBytesMax = planRowBytesMax
  entryBytesMax = planEntryBytesMax
  leastLocalBytes = planLeastLocalBytes
  encoding = planEncoding
  buckets = planBuckets
  columnsA = columnsAt
  columnsB = columnsAt + columnsEach
  columnsC = columnsAt + 2 * columnsEach
  words = wordsAt
  wordsEnd = wordsTo
  payloads = payloadsAt
  payloadBytesMax = planPayloadBytesMax
}

export function beginPiece(at: usize, first: u32, count: u32): void {
  piece = at
  pieceFirst = first
  pieceCount = count
}
