/** Holes are zeros that take no room: a copy leaves them out, and reads the same. */
import { createHash, randomBytes } from 'node:crypto'
import { closeSync, ftruncateSync, openSync, readFileSync, readSync, statSync, writeSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { copyRegularFile } from '../../../src/host/files/copy-file.ts'
import { copyRangeSparsely, ShortCopy } from '../../../src/host/files/copy-range.ts'
import { digestOf } from '../../../src/host/files/digest.ts'
import { dataBytesOf, endOfData, hasHoles, nextData } from '../../../src/host/files/holes.ts'
import { Bug } from '../../../src/model/bug.ts'
import { temporaryFolder } from '../../support/host/other-process.ts'

const never = new AbortController().signal
const MiB = 1 << 20
const onDisk = (path: string): number => statSync(path).blocks * 512

/** A file of so many bytes with data at these offsets alone. */
function sparse(path: string, bytes: number, data: readonly (readonly [offset: number, content: Buffer])[]): number {
  const file = openSync(path, 'wx+')
  ftruncateSync(file, bytes)
  for (const [offset, content] of data) writeSync(file, content, 0, content.length, offset)
  return file
}

describe.each([
  ['on a disk', undefined],
  ['in memory', '/dev/shm'],
])('a sparse file %s', (_, root) => {
  test('is copied with its data alone, as fast as that', async () => {
    using folder = temporaryFolder(root)
    const content = [randomBytes(3 * MiB + 5), randomBytes(10_000)] as const
    const bytes = 1024 ** 4 + 12_345
    const from = sparse(folder.file('a'), bytes, [
      [0, content[0]],
      [700 * 1024 ** 3, content[1]],
    ])
    const to = openSync(folder.file('b'), 'wx+')
    const seen: number[] = []
    await copyRangeSparsely(from, to, { offset: 0, bytes }, never, (copied) => seen.push(copied))
    expect(statSync(folder.file('b')).size).toBe(bytes)
    expect(onDisk(folder.file('b'))).toBeLessThan(5 * MiB)
    expect(await dataBytesOf(to)).toBeLessThan(5 * MiB)
    expect(await endOfData(to)).toBeLessThan(700 * 1024 ** 3 + 100_000)
    const read = Buffer.alloc(20_000)
    readSync(to, read, 0, 20_000, 700 * 1024 ** 3 - 5_000)
    expect(read.equals(Buffer.concat([Buffer.alloc(5_000), content[1], Buffer.alloc(5_000)]))).toBe(true)
    expect([seen.at(-1), seen.every((copied, at) => copied >= (seen[at - 1] ?? 0))]).toEqual([bytes, true])
    closeSync(from)
    closeSync(to)
  })

  test('is copied to the byte whatever its holes, and hashed as if they were read', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 8 * MiB }), fc.integer({ min: 1, max: 300_000 })), {
          maxLength: 6,
        }),
        fc.integer({ min: 0, max: 9 * MiB }),
        async (pieces, bytes) => {
          using folder = temporaryFolder(root)
          const from = sparse(
            folder.file('a'),
            bytes,
            pieces.map(([offset, length]) => [offset, randomBytes(length)]),
          )
          const size = statSync(folder.file('a')).size
          const to = openSync(folder.file('b'), 'wx+')
          await copyRangeSparsely(from, to, { offset: 0, bytes: size }, never)
          await copyRegularFile(folder.file('a'), folder.file('c'), 'refuse')
          const whole = readFileSync(folder.file('a'))
          for (const name of ['b', 'c']) expect(readFileSync(folder.file(name)).equals(whole)).toBe(true)
          const expected = { bytes: size, sha256: createHash('sha256').update(whole).digest('hex') }
          expect([await digestOf(from, never), await digestOf(to, never)]).toEqual([expected, expected])
          closeSync(from)
          closeSync(to)
        },
      ),
      { numRuns: 15 },
    )
  })
})

test('small holes are read over, and one search has an end', () => {
  using folder = temporaryFolder()
  const page = randomBytes(4096)
  const file = sparse(
    folder.file('a'),
    200 * MiB,
    Array.from({ length: 6_000 }, (_, at) => [at * 16_384, page] as const),
  )
  expect(hasHoles(file)).toBe(true)
  const spans: (readonly [number, number])[] = []
  for (let span = nextData(file, 0, 200 * MiB); span !== null; span = nextData(file, span.end, 200 * MiB))
    spans.push([span.offset, span.end])
  expect(spans.length).toBe(6)
  expect(spans[0]?.[0]).toBe(0)
  expect(spans.at(-1)?.[1]).toBe(5_999 * 16_384 + 4_096)
  closeSync(file)
})

test('a copy with bytes where a hole is left out is a defect; a shorter source is reported', async () => {
  using folder = temporaryFolder()
  const from = sparse(folder.file('a'), 8 * MiB, [])
  const to = sparse(folder.file('b'), 0, [[0, randomBytes(8 * MiB)]])
  await expect(copyRangeSparsely(from, to, { offset: 0, bytes: 8 * MiB }, never)).rejects.toThrow(Bug)
  const other = openSync(folder.file('c'), 'wx+')
  await expect(copyRangeSparsely(from, other, { offset: 0, bytes: 9 * MiB }, never)).rejects.toThrow(ShortCopy)
  for (const file of [from, to, other]) closeSync(file)
})

test('hashing a hole obeys an interruption', async () => {
  using folder = temporaryFolder()
  const file = sparse(folder.file('a'), 1024 ** 4, [])
  const interrupt = new AbortController()
  setTimeout(() => interrupt.abort(new Error('enough')), 50)
  await expect(digestOf(file, interrupt.signal)).rejects.toThrow('enough')
  closeSync(file)
})
