/** The checksums of cksumvfs, against a second way to compute them. */
import { expect, test } from 'vitest'
import { judgeChecksum, stampChecksum } from '../../src/sqlite/page-checksum.ts'

/** As in the documentation of the extension: two 32-bit sums over pairs of little-endian words. */
function reference(page: Buffer): Buffer {
  let [first, second] = [0n, 0n]
  for (let at = 0; at < page.length - 8; at += 8) {
    first = (first + BigInt(page.readUInt32LE(at)) + second) & 0xffff_ffffn
    second = (second + BigInt(page.readUInt32LE(at + 4)) + first) & 0xffff_ffffn
  }
  const sums = Buffer.alloc(8)
  sums.writeUInt32LE(Number(first), 0)
  sums.writeUInt32LE(Number(second), 4)
  return sums
}

test.each([512, 4096, 65_536])('a page of %i bytes: the right checksum, one bit, zeros', (bytes) => {
  const page = Buffer.from(Array.from({ length: bytes }, (_, i) => (i * 2_654_435_761) >>> 24))
  stampChecksum(page)
  expect(page.subarray(bytes - 8)).toEqual(reference(page))
  expect(judgeChecksum(page)).toBe('right')
  for (const at of [0, bytes / 2, bytes - 9, bytes - 1]) {
    const changed = Buffer.from(page)
    changed[at] = (changed[at] ?? 0) ^ 1
    expect([at, judgeChecksum(changed)]).toEqual([at, 'wrong'])
  }
  expect(judgeChecksum(new Uint8Array(bytes))).toBe('void')
})
