/**
 * The checksum that SQLite's extension cksumvfs keeps in the last eight bytes of each page (ext/misc/cksumvfs.c in
 * SQLite's sources). The header must reserve exactly eight bytes. Nothing else marks such a file: another extension may
 * reserve eight bytes too.
 */

import { isZero } from './bytes.ts'

/** Bytes at the end of each page. */
export const checksumBytes = 8

/**
 * `void`: the page holds only zeros, whose checksum is zero too. That says nothing about the file.
 * @param page a whole page, with its checksum
 */
export function judgeChecksum(page: Uint8Array): 'right' | 'wrong' | 'void' {
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength)
  const [first, second] = sumsOf(view)
  const at = page.length - checksumBytes
  if (view.getUint32(at, true) !== first || view.getUint32(at + 4, true) !== second) return 'wrong'
  return first === 0 && second === 0 && isZero(page) ? 'void' : 'right'
}

/** Writes the right checksum into the page. */
export function stampChecksum(page: Uint8Array): void {
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength)
  const [first, second] = sumsOf(view)
  const at = page.length - checksumBytes
  view.setUint32(at, first, true)
  view.setUint32(at + 4, second, true)
}

function sumsOf(page: DataView): readonly [number, number] {
  let first = 0
  let second = 0
  for (let at = 0; at < page.byteLength - checksumBytes; at += 8) {
    first = (first + page.getUint32(at, true) + second) >>> 0
    second = (second + page.getUint32(at + 4, true) + first) >>> 0
  }
  return [first, second]
}
