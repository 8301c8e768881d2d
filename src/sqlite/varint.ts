/**
 * Variable-length integers: 1 to 9 bytes, big-endian. Each byte gives seven bits, the ninth eight
 * (sqlite.org/fileformat2.html, section 1.6).
 */

/** Number of bytes of the varint at `at`. It may reach beyond the end of the array: the caller must check that. */
export function varintBytes(bytes: Uint8Array, at: number): number {
  let length = 1
  while (length < 9 && (bytes[at + length - 1] ?? 0) >= 0x80) length++
  return length
}

/** Its value as an unsigned number: exact up to 2^53, rounded above. For lengths and types, not for rowids. */
export function varintNumber(bytes: Uint8Array, at: number): number {
  let value = 0
  for (let i = 0; i < 8; i++) {
    const byte = bytes[at + i] ?? 0
    value = value * 128 + (byte & 0x7f)
    if (byte < 0x80) return value
  }
  return value * 256 + (bytes[at + 8] ?? 0)
}

/** Its value as a signed 64-bit integer, as SQLite reads a rowid. */
export function varintRowid(bytes: Uint8Array, at: number): bigint {
  let value = 0n
  for (let i = 0; i < 8; i++) {
    const byte = bytes[at + i] ?? 0
    value = (value << 7n) | BigInt(byte & 0x7f)
    if (byte < 0x80) return BigInt.asIntN(64, value)
  }
  return BigInt.asIntN(64, (value << 8n) | BigInt(bytes[at + 8] ?? 0))
}
