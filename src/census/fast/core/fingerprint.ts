/**
 * The fingerprints of src/census/record/fingerprint.ts, four at a time in the lanes of a vector. What is to be
 * fingerprinted is listed first. It is added to the sums when the whole page has turned out to be plain.
 */
import { buckets } from './memory'

/**
 * One listed item: address of its words, number of words, address of the sums that it goes to. Bytes. The highest bit
 * of the number is set if the words begin with a wide rowid.
 */
const listedBytes: usize = 12
const wide: u32 = 0x80000000

let key0: u32 = 0
let key1: u32 = 0
/** Addresses of the list of entries and of the list of row contents. */
let entries: usize = 0
let contents: usize = 0
let listedMax: u32 = 0
let entryCount: u32 = 0
let contentCount: u32 = 0
/** Address of four results: four low words, then four high words. 32 bytes. */
let lanes: usize = 0

export function beginFingerprints(
  newKey0: u32,
  newKey1: u32,
  entriesAt: usize,
  contentsAt: usize,
  most: u32,
  lanesAt: usize,
): void {
  key0 = newKey0
  key1 = newKey1
  entries = entriesAt
  contents = contentsAt
  listedMax = most
  lanes = lanesAt
}

/** @param entriesToCome how many entries will be listed. False if there is no room for them. */
export function beginLists(entriesToCome: u32): bool {
  entryCount = entriesToCome
  contentCount = 0
  return entriesToCome <= listedMax
}

/**
 * @param place position in the list; each is used once. Entries of one index go side by side: they are about equally
 * long, and their sums lie together.
 */
export function listEntry(place: u32, words: usize, end: usize, isWide: bool, sums: usize): void {
  const at = entries + listedBytes * place
  store<u32>(at, <u32>words)
  store<u32>(at, (<u32>(end - words) >> 2) | (isWide ? wide : 0), 4)
  store<u32>(at, <u32>sums, 8)
}

/** False if the list is full. */
export function listContent(words: usize, end: usize): bool {
  if (contentCount === listedMax) return false
  const at = contents + listedBytes * contentCount++
  store<u32>(at, <u32>words)
  store<u32>(at, <u32>(end - words) >> 2, 4)
  return true
}

/** @param sign 1: the indexes must hold the entries, -1: they do */
export function addEntries(sign: i32): void {
  for (let i: u32 = 0; i < entryCount; i += 4) {
    const from = entries + listedBytes * i
    const count = min<u32>(4, entryCount - i)
    printFour(from, count, key0, key1)
    for (let lane: u32 = 0; lane < count; lane++) {
      const low = load<i32>(lanes + 4 * lane)
      const high = load<i32>(lanes + 4 * lane, 16)
      const at = <usize>load<u32>(from + listedBytes * lane, 8) + 12 * <usize>((high ^ low) & (buckets - 1))
      store<i32>(at, load<i32>(at) + sign * low)
      store<i32>(at, load<i32>(at, 4) + sign * high, 4)
      store<i32>(at, load<i32>(at, 8) + sign, 8)
    }
  }
}

/** @param digest address of the two words of the table's digest */
export function addContents(digest: usize): void {
  let low = load<i32>(digest)
  let high = load<i32>(digest, 4)
  for (let i: u32 = 0; i < contentCount; i += 4) {
    const count = min<u32>(4, contentCount - i)
    printFour(contents + listedBytes * i, count, 0x686f6c64, 0x66617374)
    for (let lane: u32 = 0; lane < count; lane++) {
      low += load<i32>(lanes + 4 * lane)
      high += load<i32>(lanes + 4 * lane, 16)
    }
  }
  store<i32>(digest, low)
  store<i32>(digest, high, 4)
}

@inline
function rotated(v: v128, bits: i32): v128 {
  return v128.or(i32x4.shl(v, bits), i32x4.shr_u(v, 32 - bits))
}

@inline
function rotated16(v: v128): v128 {
  return v128.shuffle<u16>(v, v, 1, 0, 3, 2, 5, 4, 7, 6)
}

@inline
function rotated8(v: v128): v128 {
  return v128.shuffle<u8>(v, v, 3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14)
}

/** A vector of four words. */
@inline
function vectorOf(a: u32, b: u32, c: u32, d: u32): v128 {
  return i32x4.replace_lane(i32x4.replace_lane(i32x4.replace_lane(i32x4.splat(a), 1, b), 2, c), 3, d)
}

/** The words at four addresses. */
@inline
function loadFour(a: usize, b: usize, c: usize, d: usize): v128 {
  return v128.load32_lane(d, v128.load32_lane(c, v128.load32_lane(b, v128.load32_zero(a), 1), 2), 3)
}

/**
 * Takes the fingerprints of up to four listed items. A lane without an item repeats the last one. The round of the hash
 * is written out three times: AssemblyScript can inline a function with one result only.
 */
function printFour(from: usize, count: u32, k0: u32, k1: u32): void {
  const second = from + (count > 1 ? listedBytes : 0)
  const third = count > 2 ? from + 2 * listedBytes : second
  const fourth = count > 3 ? from + 3 * listedBytes : third
  const a = <usize>load<u32>(from)
  const b = <usize>load<u32>(second)
  const c = <usize>load<u32>(third)
  const d = <usize>load<u32>(fourth)
  const sizeA = load<u32>(from, 4)
  const sizeB = load<u32>(second, 4)
  const sizeC = load<u32>(third, 4)
  const sizeD = load<u32>(fourth, 4)
  const countA = sizeA & ~wide
  const countB = sizeB & ~wide
  const countC = sizeC & ~wide
  const countD = sizeD & ~wide
  let v0 = v128.xor(i32x4.splat(k0), vectorOf(sizeA >> 31, sizeB >> 31, sizeC >> 31, sizeD >> 31))
  let v1 = i32x4.splat(k1)
  let v2 = i32x4.splat(k0 ^ 0x6c796765)
  let v3 = i32x4.splat(k1 ^ 0x74656462)
  const common = min(min(countA, countB), min(countC, countD))
  for (let k: usize = 0; k < 4 * <usize>common; k += 4) {
    const m = loadFour(a + k, b + k, c + k, d + k)
    v3 = v128.xor(v3, m)
    v0 = i32x4.add(v0, v1)
    v1 = v128.xor(rotated(v1, 5), v0)
    v0 = rotated16(v0)
    v2 = i32x4.add(v2, v3)
    v3 = v128.xor(rotated8(v3), v2)
    v0 = i32x4.add(v0, v3)
    v3 = v128.xor(rotated(v3, 7), v0)
    v2 = i32x4.add(v2, v1)
    v1 = v128.xor(rotated(v1, 13), v2)
    v2 = rotated16(v2)
    v0 = v128.xor(v0, m)
  }
  // From here on some lanes have come to their end. They keep what they have.
  const most = max(max(countA, countB), max(countC, countD))
  if (common !== most) {
    const counts = vectorOf(countA, countB, countC, countD)
    for (let k = common; k < most; k++) {
      const at = <usize>(k << 2)
      const m = loadFour(a + at, b + at, c + at, d + at)
      const goesOn = i32x4.gt_s(counts, i32x4.splat(k))
      let w0 = v0
      let w1 = v1
      let w2 = v2
      let w3 = v128.xor(v3, m)
      w0 = i32x4.add(w0, w1)
      w1 = v128.xor(rotated(w1, 5), w0)
      w0 = rotated16(w0)
      w2 = i32x4.add(w2, w3)
      w3 = v128.xor(rotated8(w3), w2)
      w0 = i32x4.add(w0, w3)
      w3 = v128.xor(rotated(w3, 7), w0)
      w2 = i32x4.add(w2, w1)
      w1 = v128.xor(rotated(w1, 13), w2)
      w2 = rotated16(w2)
      w0 = v128.xor(w0, m)
      v0 = v128.bitselect(w0, v0, goesOn)
      v1 = v128.bitselect(w1, v1, goesOn)
      v2 = v128.bitselect(w2, v2, goesOn)
      v3 = v128.bitselect(w3, v3, goesOn)
    }
  }
  v2 = v128.xor(v2, i32x4.splat(0xff))
  for (let k = 0; k < 3; k++) {
    v0 = i32x4.add(v0, v1)
    v1 = v128.xor(rotated(v1, 5), v0)
    v0 = rotated16(v0)
    v2 = i32x4.add(v2, v3)
    v3 = v128.xor(rotated8(v3), v2)
    v0 = i32x4.add(v0, v3)
    v3 = v128.xor(rotated(v3, 7), v0)
    v2 = i32x4.add(v2, v1)
    v1 = v128.xor(rotated(v1, 13), v2)
    v2 = rotated16(v2)
  }
  v128.store(lanes, v128.xor(v1, v3))
  v128.store(lanes, v128.xor(v0, v2), 16)
}
