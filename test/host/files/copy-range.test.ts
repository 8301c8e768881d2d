import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { canReflink, copyRange, ShortCopy } from '../../../src/host/files/copy-range.ts'
import { openDescriptor } from '../../../src/host/files/descriptor.ts'
import { SystemCallError } from '../../../src/host/libc.ts'
import { leaseOf, takeWriteLease } from '../../../src/host/locks/kernel-lease.ts'
import { mount, whySkipped, whyNoMount } from '../../support/host/mounts.ts'
import { temporaryFolder } from '../../support/host/other-process.ts'

const never = new AbortController().signal
const shm = '/dev/shm'
const whyNoTmpfs = whyNoMount('tmpfs')
const whyNoXfs = whyNoMount('xfs')

/** A new, empty file for the copy. */
function emptyFile(path: string): string {
  writeFileSync(path, '', { flag: 'wx' })
  return path
}

async function copyOf(
  source: string,
  target: string,
  range: { offset: number; bytes: number },
): Promise<{ method: string; bytes: Buffer }> {
  using from = openDescriptor(source, 'read-write')
  using to = openDescriptor(emptyFile(target), 'read-write')
  const method = await copyRange(from.number, to.number, range, never)
  return { method, bytes: readFileSync(target) }
}

describe.each([
  { how: 'within one file system', other: null, method: 'copy_file_range' },
  { how: 'between two file systems', other: shm, method: 'read-write' },
])('a copy $how', ({ other, method }) => {
  test.each([1, 511, 4096, 4097, 1_048_576, 3_333_333, 9_000_001])('of %d bytes is exact', async (bytes) => {
    using here = temporaryFolder()
    using there = temporaryFolder(other ?? here.path)
    const content = randomBytes(bytes)
    writeFileSync(here.file('a'), content)
    const copy = await copyOf(here.file('a'), there.file('b'), { offset: 0, bytes })
    expect(copy.bytes.equals(content)).toBe(true)
    expect(copy.method).toBe(method)
  })

  test('with holes in the middle and at the end is exact', async () => {
    using here = temporaryFolder()
    using there = temporaryFolder(other ?? here.path)
    const file = openSync(here.file('a'), 'w')
    writeSync(file, randomBytes(5000), 0, 5000, 2_000_001)
    closeSync(file)
    truncateSync(here.file('a'), 7_000_000)
    const copy = await copyOf(here.file('a'), there.file('b'), { offset: 0, bytes: 7_000_000 })
    expect(copy.bytes.equals(readFileSync(here.file('a')))).toBe(true)
  })

  test('of a tail goes to the same offset and leaves the rest alone', async () => {
    using here = temporaryFolder()
    using there = temporaryFolder(other ?? here.path)
    const content = randomBytes(2_500_000)
    writeFileSync(here.file('a'), content)
    writeFileSync(there.file('b'), Buffer.alloc(1_000_003, 1))
    using from = openDescriptor(here.file('a'), 'read-only')
    using to = openDescriptor(there.file('b'), 'read-write')
    const seen: number[] = []
    await copyRange(from.number, to.number, { offset: 1_000_003, bytes: 1_499_997 }, never, (copied) =>
      seen.push(copied),
    )
    expect(
      readFileSync(there.file('b')).equals(Buffer.concat([Buffer.alloc(1_000_003, 1), content.subarray(1_000_003)])),
    ).toBe(true)
    expect(seen.at(-1)).toBe(1_499_997)
    expect(seen).toEqual(seen.toSorted((one, next) => one - next))
  })

  test('that comes to the end too soon says how many bytes came', async () => {
    using here = temporaryFolder()
    using there = temporaryFolder(other ?? here.path)
    writeFileSync(here.file('a'), Buffer.alloc(5000, 3))
    const failing = copyOf(here.file('a'), there.file('b'), { offset: 1000, bytes: 9000 })
    await expect(failing).rejects.toBeInstanceOf(ShortCopy)
    await expect(failing).rejects.toMatchObject({ copied: 4000, wanted: 9000 })
  })

  test('of nothing does nothing', async () => {
    using here = temporaryFolder()
    using there = temporaryFolder(other ?? here.path)
    writeFileSync(here.file('a'), '')
    expect((await copyOf(here.file('a'), there.file('b'), { offset: 0, bytes: 0 })).bytes).toHaveLength(0)
  })

  test('that is aborted rejects with the reason within 100 ms and goes no further', async () => {
    using here = temporaryFolder()
    using there = temporaryFolder(other ?? here.path)
    writeFileSync(here.file('a'), '')
    truncateSync(here.file('a'), 300 << 20)
    using from = openDescriptor(here.file('a'), 'read-only')
    const reason = new Error('somebody wants the file')
    const tookMs: number[] = []
    for (const time of [1, 2, 3, 4, 5]) {
      using to = openDescriptor(emptyFile(there.file(`b${time}`)), 'read-write')
      const controller = new AbortController()
      let abortedAt = 0
      let copied = 0
      const copying = copyRange(from.number, to.number, { offset: 0, bytes: 300 << 20 }, controller.signal, (bytes) => {
        copied = bytes
        if (abortedAt === 0)
          setImmediate(() => {
            abortedAt = performance.now()
            controller.abort(reason)
          })
      })
      await expect(copying).rejects.toBe(reason)
      tookMs.push(performance.now() - abortedAt)
      expect(copied).toBeLessThan(300 << 20)
      expect(fstatSync(to.number).size).toBe(copied)
    }
    expect(Math.min(...tookMs)).toBeLessThan(100) // Of several: one alone measures what else the machine does.
  })
})

test('an abort before the beginning copies nothing', async () => {
  using here = temporaryFolder()
  writeFileSync(here.file('a'), 'bytes')
  using from = openDescriptor(here.file('a'), 'read-only')
  using to = openDescriptor(emptyFile(here.file('b')), 'read-write')
  const reason = new Error('too late')
  await expect(copyRange(from.number, to.number, { offset: 0, bytes: 5 }, AbortSignal.abort(reason))).rejects.toBe(
    reason,
  )
  expect(readFileSync(here.file('b'))).toHaveLength(0)
})

test('the event loop goes on while a copy runs', async () => {
  using here = temporaryFolder()
  writeFileSync(here.file('a'), '')
  truncateSync(here.file('a'), 200 << 20)
  using from = openDescriptor(here.file('a'), 'read-only')
  using to = openDescriptor(emptyFile(here.file('b')), 'read-write')
  let turns = 0
  const timer = setInterval(() => {
    turns += 1
  }, 1)
  await copyRange(from.number, to.number, { offset: 0, bytes: 200 << 20 }, never)
  clearInterval(timer)
  expect(turns).toBeGreaterThan(5)
})

test('a source that cannot be read is told with call and code', async () => {
  using here = temporaryFolder()
  using to = openDescriptor(emptyFile(here.file('b')), 'read-write')
  const closed = openSync(here.file('b'), 'r')
  closeSync(closed)
  await expect(copyRange(closed, to.number, { offset: 4, bytes: 5 }, never)).rejects.toMatchObject({
    name: 'SystemCallError',
    code: 'EBADF',
  })
})

test.skipIf(whyNoTmpfs !== null).each(['same', 'other'] as const)(
  `a full disk is told as ENOSPC, copying from the %s file system${whySkipped(whyNoTmpfs)}`,
  async (from) => {
    using small = mount('tmpfs', 3 << 20)
    using here = temporaryFolder()
    const source = from === 'same' ? join(small.path, 'a') : here.file('a')
    writeFileSync(source, randomBytes(2 << 20))
    if (from === 'other') writeFileSync(join(small.path, 'filler'), Buffer.alloc(2 << 20))
    const failing = copyOf(source, join(small.path, 'b'), { offset: 0, bytes: 2 << 20 })
    await expect(failing).rejects.toBeInstanceOf(SystemCallError)
    await expect(failing).rejects.toMatchObject({ code: 'ENOSPC', errno: 28 })
  },
)

describe(`on xfs${whySkipped(whyNoXfs)}`, () => {
  test.skipIf(whyNoXfs !== null)(
    'the whole of a leased file is shared, whatever its size, and the lease stays',
    async () => {
      using xfs = mount('xfs', 0)
      for (const bytes of [1, 4095, 4096, 70_000_001, (64 << 20) + 4096]) {
        const content = randomBytes(bytes)
        const source = join(xfs.path, `a${bytes}`)
        writeFileSync(source, content)
        using from = openDescriptor(source, 'read-write')
        expect(takeWriteLease(from.number)).toEqual({ kind: 'granted' })
        using to = openDescriptor(emptyFile(join(xfs.path, `b${bytes}`)), 'read-write')
        expect(await copyRange(from.number, to.number, { offset: 0, bytes }, never)).toBe('reflink')
        expect(leaseOf(from.number)).toBe('write')
        expect(readFileSync(join(xfs.path, `b${bytes}`)).equals(content)).toBe(true)
      }
    },
  )

  test.skipIf(whyNoXfs !== null)('a shared copy keeps its bytes when the source is written afterwards', async () => {
    using xfs = mount('xfs', 0)
    writeFileSync(join(xfs.path, 'a'), Buffer.alloc(100_000, 1))
    using from = openDescriptor(join(xfs.path, 'a'), 'read-write')
    using to = openDescriptor(emptyFile(join(xfs.path, 'b')), 'read-write')
    expect(await copyRange(from.number, to.number, { offset: 0, bytes: 100_000 }, never)).toBe('reflink')
    writeSync(from.number, Buffer.alloc(50_000, 2), 0, 50_000, 0)
    expect(readFileSync(join(xfs.path, 'b')).equals(Buffer.alloc(100_000, 1))).toBe(true)
  })

  test.skipIf(whyNoXfs !== null)('whether blocks can be shared is tried, and nothing is left behind', async () => {
    using xfs = mount('xfs', 0)
    using here = temporaryFolder()
    for (const bytes of [0, 100, 4096, 100_001]) {
      writeFileSync(join(xfs.path, 'a'), Buffer.alloc(bytes))
      using from = openDescriptor(join(xfs.path, 'a'), 'read-write')
      expect(await canReflink(from.number, xfs.path)).toBe(true)
      expect(await canReflink(from.number, here.path)).toBe(false)
    }
    expect(readdirSync(xfs.path)).toEqual(['a'])
    expect(readdirSync(here.path)).toEqual([])
  })
})

test('where blocks cannot be shared, the answer is no and nothing is left behind', async () => {
  using here = temporaryFolder(shm)
  writeFileSync(here.file('a'), 'bytes')
  using from = openDescriptor(here.file('a'), 'read-write')
  expect(await canReflink(from.number, here.path)).toBe(false)
  await expect(canReflink(from.number, here.file('missing'))).rejects.toMatchObject({ code: 'ENOENT' })
})
