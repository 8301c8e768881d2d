/** The checksum of the write-ahead log (SQLite file format, section 4.2). */

export type Checksum = readonly [number, number]

/**
 * The running checksum over `length` bytes (a multiple of 8) from `at` (section 4.2).
 * One loop per byte order: a test inside of it halves the speed, and a hold reads the whole WAL through it.
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
