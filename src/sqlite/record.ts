/** Records: a header of serial types, then the values (sqlite.org/fileformat2.html, section 2.1). */

import { count } from '../text/count.ts'
import type { ColumnValue } from './column-value.ts'
import { varintBytes, varintNumber } from './varint.ts'

type RecordParseResult =
  | { readonly kind: 'record'; readonly values: readonly ColumnValue[] }
  | { readonly kind: 'malformed'; readonly why: string }

const fixedBytes = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0] as const

/** Bytes of a value by its serial type; null for the reserved types 10 and 11. */
export function valueBytes(serialType: number): number | null {
  return serialType >= 12 ? Math.floor((serialType - 12) / 2) : (fixedBytes[serialType] ?? null)
}

/** Reads the first `valuesMax` values of a record, or as many as it has. */
export function readRecord(payload: Uint8Array, valuesMax: number): RecordParseResult {
  const headerBytes = varintNumber(payload, 0)
  let at = varintBytes(payload, 0)
  if (headerBytes < at || headerBytes > payload.length)
    return { kind: 'malformed', why: `a record says that its header has ${count(headerBytes, 'byte')}` }
  let body = headerBytes
  const values: ColumnValue[] = []
  while (at < headerBytes && values.length < valuesMax) {
    const serialType = varintNumber(payload, at)
    at += varintBytes(payload, at)
    const length = valueBytes(serialType)
    if (length === null) return { kind: 'malformed', why: `a record has the reserved serial type ${serialType}` }
    if (body + length > payload.length) return { kind: 'malformed', why: 'a record is longer than its payload' }
    values.push(valueOf(serialType, payload.subarray(body, body + length)))
    body += length
  }
  if (at > headerBytes) return { kind: 'malformed', why: 'the header of a record ends inside of a serial type' }
  return { kind: 'record', values }
}

function valueOf(serialType: number, bytes: Uint8Array): ColumnValue {
  if (serialType >= 12) return { kind: serialType % 2 === 1 ? 'text' : 'blob', bytes }
  if (serialType === 0) return { kind: 'null' }
  if (serialType === 7)
    return { kind: 'real', value: new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0, false) }
  if (serialType >= 8) return { kind: 'integer', value: BigInt(serialType - 8) }
  let value = 0n
  for (const byte of bytes) value = (value << 8n) | BigInt(byte)
  return { kind: 'integer', value: BigInt.asIntN(8 * bytes.length, value) }
}
