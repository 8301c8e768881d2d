/**
 * Child side: the header of a record: its serial types, and where its values lie. Unlike census/record/columns.ts it
 * keeps the storage class of each value: what is written into the new file must be what was stored.
 */
import { valueBytes } from '../../../../sqlite/record.ts'
import { varintBytes, varintNumber } from '../../../../sqlite/varint.ts'

/** What SQLite takes: better-sqlite3 binds a number as a real, and a bigint as an integer. */
export type StoredValue = null | bigint | number | Uint8Array

/** `longer`: the header reaches beyond the bytes at hand. */
type HeaderOutcome = 'ok' | 'longer' | 'wrong'

export class RecordHeader {
  /** Columns whose types are known. */
  count = 0
  /** As many as `count`; the most that there may be if the header reaches beyond the bytes at hand. */
  countMost = 0
  /** Serial types. */
  readonly types: number[] = []
  /** Offset of the first value from the beginning of the record. */
  bodyAt = 0

  /**
   * @param here bytes of the record that lie at `at`
   * @param max columns that the record may have
   * @returns `wrong` unless header and values fill the payload exactly; `longer` if nothing at hand contradicts that
   */
  parse(bytes: Uint8Array, at: number, here: number, payloadBytes: number, max: number): HeaderOutcome {
    this.count = 0
    this.countMost = 0
    const first = varintBytes(bytes, at)
    const headerBytes = varintNumber(bytes, at)
    if (headerBytes < first || headerBytes > payloadBytes || headerBytes > max * 9 + 9) return 'wrong'
    const end = at + headerBytes
    const endHere = at + Math.min(headerBytes, here)
    let next = at + first
    let body = headerBytes
    while (next < endHere) {
      if (this.count >= max) return 'wrong'
      let type = bytes[next] ?? 0
      if (type < 0x80) next++
      else {
        const typeBytes = varintBytes(bytes, next)
        if (next + typeBytes > endHere) break
        type = varintNumber(bytes, next)
        next += typeBytes
      }
      const length = valueBytes(type)
      if (length === null) return 'wrong'
      body += length
      if (body > payloadBytes) return 'wrong'
      this.types[this.count++] = type
    }
    this.countMost = Math.min(max, this.count + end - next)
    if (headerBytes > here) return 'longer'
    if (next !== end || body !== payloadBytes) return 'wrong'
    this.bodyAt = headerBytes
    return 'ok'
  }

  /** The values of a record that lies completely in `bytes`. Texts and BLOBs are views of it. */
  values(bytes: Uint8Array, at: number): StoredValue[] {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const values: StoredValue[] = []
    let next = at + this.bodyAt
    for (let i = 0; i < this.count; i++) {
      const type = this.types[i] ?? 0
      values.push(valueAt(bytes, view, next, type))
      next += valueBytes(type) ?? 0
    }
    return values
  }
}

function valueAt(bytes: Uint8Array, view: DataView, at: number, type: number): StoredValue {
  switch (type) {
    case 0:
      return null
    case 1:
      return BigInt(view.getInt8(at))
    case 2:
      return BigInt(view.getInt16(at, false))
    case 3:
      return BigInt((view.getInt8(at) << 16) | view.getUint16(at + 1, false))
    case 4:
      return BigInt(view.getInt32(at, false))
    case 5:
      return BigInt(view.getInt16(at, false)) * 0x1_0000_0000n + BigInt(view.getUint32(at + 2, false))
    case 6:
      return view.getBigInt64(at, false)
    case 7: {
      const real = view.getFloat64(at, false)
      return Number.isNaN(real) ? null : real // SQLite reads NaN as NULL.
    }
    case 8:
      return 0n
    case 9:
      return 1n
    default:
      return bytes.subarray(at, at + (type - 12 - (type & 1)) / 2)
  }
}

/** True for the serial type of a text. */
export const isText = (type: number): boolean => type >= 13 && (type & 1) === 1
