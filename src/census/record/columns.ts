/**
 * The columns of one record, decoded and normalised (sqlite.org/fileformat2.html, section 2.1). Values that SQLite
 * takes for equal are equal here, whatever their serial types. A real that is a whole number becomes the integer, -0.0
 * becomes 0, and NaN becomes NULL, as SQLite reads it.
 *
 * The typed arrays are used again for each record: one object for each value took ten times as long.
 */

import type { ColumnValue } from '../../sqlite/column-value.ts'

export const kinds = { null: 0, integer: 1, real: 2, text: 3, blob: 4 } as const

export type DecodeOutcome = 'decoded' | 'longer' | 'header' | 'reserved' | 'body' | 'surplus'

/** What is wrong with a record. `longer` is not wrong: the values lie behind the bytes at hand. */
export const decodingFailure: Readonly<Record<Exclude<DecodeOutcome, 'decoded' | 'longer'>, string>> = {
  header: 'the header of the record does not fit',
  reserved: 'the record has a reserved serial type',
  body: 'the record is not as long as its header says',
  surplus: 'the record has more columns than the schema',
}

const twoTo32 = 4_294_967_296
const twoTo63 = 9_223_372_036_854_775_808

/** Bytes of a value by its serial type; -1 for the reserved ones. */
const sizes = Int8Array.of(0, 1, 2, 3, 4, 6, 8, 8, 0, 0, -1, -1)

const nothing = new Uint8Array(0)
const real = new DataView(new ArrayBuffer(8))

export class Columns {
  /** Number of columns of the record; 0 if it could not be decoded. */
  count = 0
  bytes: Uint8Array = nothing
  view: DataView = real
  readonly kind: Uint8Array
  /** The two words of an integer, or of the bits of a real. */
  readonly low: Int32Array
  readonly high: Int32Array
  /** Offset in `bytes` and length of a text or BLOB. */
  readonly at: Int32Array
  readonly length: Int32Array
  readonly #max: number

  /** @param max columns in the schema: a record with more is malformed */
  constructor(max: number) {
    this.#max = max
    this.kind = new Uint8Array(max + 1)
    this.low = new Int32Array(max + 1)
    this.high = new Int32Array(max + 1)
    this.at = new Int32Array(max + 1)
    this.length = new Int32Array(max + 1)
  }

  /**
   * Decodes the record at `from`.
   * @param payloadBytes length of the record
   * @param here bytes of the record that are in `bytes`; the others are in overflow pages
   * @param wanted how many of the first columns are needed; the result is `longer` if they reach beyond `here`
   * @param max columns of this table
   */
  decode(
    bytes: Uint8Array,
    view: DataView,
    from: number,
    payloadBytes: number,
    here: number,
    wanted: number,
    max: number,
  ): DecodeOutcome {
    this.count = 0
    this.bytes = bytes
    this.view = view
    const end = from + here
    let next = from
    // Even a record without columns has the length of its header. Cells of zeros have not.
    if (here === 0) return 'header'
    let headerBytes = bytes[next++] ?? 0
    if (headerBytes >= 0x80) {
      headerBytes &= 0x7f
      let byte = 0x80
      while (byte >= 0x80 && next < from + 4) {
        byte = bytes[next++] ?? 0
        headerBytes = headerBytes * 128 + (byte & 0x7f)
      }
      if (byte >= 0x80) return 'header'
    }
    const headerEnd = from + headerBytes
    if (headerBytes > payloadBytes || headerEnd < next) return 'header'
    if (headerEnd > end) return 'longer'
    const { kind, at, length } = this
    let value = headerEnd
    let count = 0
    const valuesEnd = from + payloadBytes
    while (next < headerEnd) {
      if (count >= max || count > this.#max) return 'surplus'
      let type = bytes[next++] ?? 0
      if (type >= 0x80) {
        // A serial type of more than 6 bytes means a value that is longer than SQLite can store.
        type &= 0x7f
        let byte = 0x80
        for (let read = 1; byte >= 0x80 && read < 6; read++) {
          byte = bytes[next++] ?? 0
          type = type * 128 + (byte & 0x7f)
        }
        if (byte >= 0x80) return 'header'
      }
      const size = type >= 12 ? (type - 12 - (type & 1)) / 2 : (sizes[type] ?? 0)
      if (size < 0) return 'reserved'
      const valueEnd = value + size
      if (valueEnd > valuesEnd) return 'body'
      if (count < wanted) {
        if (valueEnd > end) return 'longer'
        if (type >= 12) {
          kind[count] = kinds.blob - (type & 1)
          at[count] = value
          length[count] = size
        } else this.#load(count, type, view, value)
      }
      value = valueEnd
      count++
    }
    if (next !== headerEnd) return 'header'
    if (value !== valuesEnd) return 'body'
    this.count = count
    return 'decoded'
  }

  #load(i: number, type: number, view: DataView, at: number): void {
    const { kind, low, high } = this
    let word = 0
    switch (type) {
      case 0:
        kind[i] = kinds.null
        return
      case 1:
        word = view.getInt8(at)
        break
      case 2:
        word = view.getInt16(at, false)
        break
      case 3:
        word = (view.getInt8(at) << 16) | view.getUint16(at + 1, false)
        break
      case 4:
        word = view.getInt32(at, false)
        break
      case 5:
        kind[i] = kinds.integer
        high[i] = view.getInt16(at, false)
        low[i] = view.getInt32(at + 2, false)
        return
      case 6:
        kind[i] = kinds.integer
        high[i] = view.getInt32(at, false)
        low[i] = view.getInt32(at + 4, false)
        return
      case 7:
        this.setReal(i, view.getFloat64(at, false))
        return
      default:
        word = type - 8
    }
    kind[i] = kinds.integer
    low[i] = word
    high[i] = word >> 31
  }

  setNull(i: number): void {
    this.kind[i] = kinds.null
  }

  setInteger(i: number, low: number, high: number): void {
    this.kind[i] = kinds.integer
    this.low[i] = low
    this.high[i] = high
  }

  setReal(i: number, value: number): void {
    if (Number.isNaN(value)) this.kind[i] = kinds.null
    else if (Math.floor(value) === value && value < twoTo63 && value >= -twoTo63) {
      const high = Math.floor(value / twoTo32)
      this.setInteger(i, (value - high * twoTo32) | 0, high | 0)
    } else {
      real.setFloat64(0, value, false)
      this.kind[i] = kinds.real
      this.high[i] = real.getInt32(0, false)
      this.low[i] = real.getInt32(4, false)
    }
  }

  /** The value of a real, or of an integer rounded to one. */
  numberAt(i: number): number {
    const high = this.high[i] ?? 0
    const low = this.low[i] ?? 0
    if (this.kind[i] === kinds.integer) return high * twoTo32 + (low >>> 0)
    real.setInt32(0, high, false)
    real.setInt32(4, low, false)
    return real.getFloat64(0, false)
  }

  integerAt(i: number): bigint {
    return (BigInt(this.high[i] ?? 0) << 32n) | BigInt((this.low[i] ?? 0) >>> 0)
  }

  bytesAt(i: number): Uint8Array {
    const at = this.at[i] ?? 0
    return this.bytes.subarray(at, at + (this.length[i] ?? 0))
  }

  /** Takes values that do not come from a page. */
  take(values: readonly ColumnValue[]): void {
    this.count = values.length
    const bytes = new Uint8Array(values.reduce((sum, value) => sum + ('bytes' in value ? value.bytes.length : 0), 0))
    this.bytes = bytes
    this.view = new DataView(bytes.buffer)
    let at = 0
    for (const [i, value] of values.entries()) {
      switch (value.kind) {
        case 'null':
          this.setNull(i)
          break
        case 'integer':
          this.setInteger(i, Number(BigInt.asIntN(32, value.value)), Number(BigInt.asIntN(32, value.value >> 32n)))
          break
        case 'real':
          this.setReal(i, value.value)
          break
        case 'text':
        case 'blob':
          this.kind[i] = value.kind === 'text' ? kinds.text : kinds.blob
          bytes.set(value.bytes, at)
          this.at[i] = at
          this.length[i] = value.bytes.length
          at += value.bytes.length
      }
    }
  }
}
