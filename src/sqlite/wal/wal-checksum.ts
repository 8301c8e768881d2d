/** The checksum of the write-ahead log (sqlite.org/fileformat2.html, section 4.2). */

export type Checksum = readonly [number, number]

/**
 * Adds `length` bytes from `at` to a running checksum. There is one loop for each byte order: a condition in the loop
 * halves the speed, and a hold runs the whole WAL through it.
 * @param length a multiple of 8
 */
export function addChecksum(
  view: DataView,
  at: number,
  length: number,
  bigEndian: boolean,
  before: Checksum,
): Checksum {
  let s0 = before[0] | 0
  let s1 = before[1] | 0
  const end = at + length
  if (bigEndian) {
    for (let i = at; i < end; i += 8) {
      s0 = (s0 + view.getUint32(i, false) + s1) | 0
      s1 = (s1 + view.getUint32(i + 4, false) + s0) | 0
    }
  } else {
    for (let i = at; i < end; i += 8) {
      s0 = (s0 + view.getUint32(i, true) + s1) | 0
      s1 = (s1 + view.getUint32(i + 4, true) + s0) | 0
    }
  }
  return [s0 >>> 0, s1 >>> 0]
}

export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
