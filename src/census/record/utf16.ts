/**
 * Converts UTF-16 to UTF-8 as SQLite does (utf.c of SQLite), lone surrogates included. SQLite's collations compare the
 * result.
 */

export function fromUtf16(bytes: Uint8Array, bigEndian: boolean): Uint8Array {
  const units = bytes.length >> 1
  const unit = (i: number): number => {
    const first = bytes[2 * i] ?? 0
    const second = bytes[2 * i + 1] ?? 0
    return bigEndian ? (first << 8) | second : (second << 8) | first
  }
  const out = new Uint8Array(units * 3)
  let at = 0
  for (let i = 0; i < units; i++) {
    let code = unit(i)
    if (code >= 0xd800 && code < 0xe000 && i + 1 < units) {
      code = (unit(++i) & 0x3ff) + ((code & 0x3f) << 10) + (((code & 0x3c0) + 0x40) << 10)
    }
    if (code < 0x80) out[at++] = code
    else if (code < 0x800) {
      out[at++] = 0xc0 | (code >> 6)
      out[at++] = 0x80 | (code & 0x3f)
    } else if (code < 0x10000) {
      out[at++] = 0xe0 | (code >> 12)
      out[at++] = 0x80 | ((code >> 6) & 0x3f)
      out[at++] = 0x80 | (code & 0x3f)
    } else {
      out[at++] = 0xf0 | ((code >> 18) & 7)
      out[at++] = 0x80 | ((code >> 12) & 0x3f)
      out[at++] = 0x80 | ((code >> 6) & 0x3f)
      out[at++] = 0x80 | (code & 0x3f)
    }
  }
  return out.subarray(0, at)
}
