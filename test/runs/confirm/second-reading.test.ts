/**
 * Damage is read a second time, past the page cache. The test makes a file whose cached pages differ from the disk:
 * it writes to the block device below a mounted file system, which the page cache of the file does not notice.
 */
import { execFileSync } from 'node:child_process'
import {
  closeSync,
  constants,
  fsyncSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openChecker, type Checker } from '../../../src/check/check.ts'
import { diagnose } from '../../../src/diagnosis/diagnose.ts'
import { dropFromCache, openUncached } from '../../../src/host/uncached-file.ts'
import type { SnapshotPath } from '../../../src/model/brand.ts'
import { keptFile } from '../../../src/model/kept-file.ts'
import type { Result } from '../../../src/model/result/report.ts'
import { acquireCopy } from '../../../src/runs/acquire-file.ts'
import { confirmDamage, type ReadSnapshot } from '../../../src/runs/confirm/confirm-damage.ts'
import { notHeld } from '../../../src/runs/file-result.ts'
import { create, fillEvents } from '../../support/databases/create-database.ts'
import { context } from '../../support/diagnosis.ts'
import { mount, whyNoMount, whySkipped, type MountedFolder } from '../../support/host/mounts.ts'
import { limits } from '../../support/snapshot-folder.ts'

const signal = new AbortController().signal
const whyNot = whyNoMount('ext4')
const pageSize = 4096

/** Flips bits in the middle of a leaf page, in the file at `path`. @returns the number of the page, and its bytes */
function damagePage(path: string): { readonly page: number; readonly whole: Buffer; readonly damaged: Buffer } {
  const bytes = readFileSync(path)
  const page = bytes.length / pageSize - 3
  const whole = Buffer.from(bytes.subarray((page - 1) * pageSize, page * pageSize))
  const damaged = Buffer.from(whole)
  damaged.fill(0xff, 0, 64)
  writeAt(path, (page - 1) * pageSize, damaged)
  return { page, whole, damaged }
}

function writeAt(path: string, at: number, bytes: Buffer): void {
  const file = openSync(path, 'r+')
  try {
    writeSync(file, bytes, 0, bytes.length, at)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** A small ext4 has blocks of this size. */
const blockBytes = 1024

/** Writes to the device below the file system, as if the bytes of the file had been written there. */
function writeBelow(device: string, path: string, at: number, bytes: Buffer): void {
  const listed = execFileSync('filefrag', [`-b${blockBytes}`, '-v', path], { encoding: 'utf8' })
  const extents = Array.from(listed.matchAll(/^\s*\d+:\s+(\d+)\.\.\s*(\d+):\s+(\d+)\.\./gm), (match) =>
    match.map(Number),
  )
  const file = openSync(device, constants.O_WRONLY)
  try {
    for (let done = 0; done < bytes.length; done += blockBytes) {
      const block = (at + done) / blockBytes
      const [, first = 0, , physical = 0] = extents.find(([, from = 0, to = 0]) => block >= from && block <= to) ?? []
      writeSync(file, bytes, done, blockBytes, (physical + block - first) * blockBytes)
    }
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

const deviceOf = (mounted: MountedFolder): string =>
  execFileSync('findmnt', ['-n', '-o', 'SOURCE', mounted.path], { encoding: 'utf8' }).trim()

/** Checks a private copy and confirms its damage, as every check does. */
async function confirmed(path: string, checker: Checker, before: () => void = () => {}): Promise<Result> {
  const reading = await checker.check(path as SnapshotPath, { depth: 'full', signal })
  const diagnosis = diagnose(reading, context)
  const unchecked = notHeld({ tenant: null, named: path }, 'full', false)
  const kept: ReadSnapshot['copy']['kept'] = new Map([['', keptFile(statSync(path, { bigint: true }))]])
  const found = {
    verdict: diagnosis.verdict.kind,
    damage: diagnosis.damage,
    findings: diagnosis.findings,
    findingsTotal: diagnosis.findings.length,
  } as unknown as Result
  before()
  return confirmDamage(
    found,
    unchecked,
    { reading, context, copy: { path: path as SnapshotPath, kept }, sample: null, signal },
    checker,
  )
}

describe(`on ext4${whySkipped(whyNot)}`, () => {
  test.skipIf(whyNot !== null)('cached bytes that the disk does not have are no damage of the file', async () => {
    using mounted = mount('ext4', 0)
    const path = join(mounted.path, 'app.db')
    create(path, pageSize, fillEvents(3000))
    await using checker = await openChecker({ ...limits, folder: mounted.path, parallel: 1, engine: 'census' })
    const { page, whole } = damagePage(path)
    const result = await confirmed(path, checker, () => {
      writeBelow(deviceOf(mounted), path, (page - 1) * pageSize, whole)
      // The page cache of the file has the damaged bytes still.
      const cached = Buffer.alloc(64)
      const file = openSync(path, 'r')
      readSync(file, cached, 0, 64, (page - 1) * pageSize)
      closeSync(file)
      expect(cached.every((byte) => byte === 0xff)).toBe(true)
    })
    expect(result.secondReading).toMatchObject({ how: 'direct', differing: 1, verdict: 'sound' })
    expect([result.verdict, result.damage, result.remedy.do]).toEqual(['inconclusive', 'none', 'nothing'])
    expect(result.reason).toBe(
      'damage was found, and a second reading of the same snapshot from the disk did not show it',
    )
    expect(result.findings[0]).toMatchObject({ rule: 'reading-differs', severity: 'notice' })
    expect(result.findings[0]?.text).toMatch(
      /1 of \d+ pages? hold other bytes in memory than on the disk.*Memory, a cable/,
    )
    expect(result.secondReading).toMatchObject({ how: 'direct', differing: 1, verdict: 'sound' })
  })

  test.skipIf(whyNot !== null)('damage that is on the disk is confirmed', async () => {
    using mounted = mount('ext4', 0)
    const path = join(mounted.path, 'app.db')
    create(path, pageSize, fillEvents(3000))
    await using checker = await openChecker({ ...limits, folder: mounted.path, parallel: 1, engine: 'census' })
    damagePage(path)
    const result = await confirmed(path, checker)
    expect(result.verdict).toBe('damaged')
    expect(result.secondReading).toMatchObject({ how: 'direct', differing: 0, verdict: 'damaged' })
    expect(result.secondReading?.pages).toBeGreaterThan(0)
  })
})

const whyNoTmpfs = whyNoMount('tmpfs')
test.skipIf(whyNoTmpfs !== null)(
  `in memory there is no disk to read: the damage stays, and the report says so${whySkipped(whyNoTmpfs)}`,
  async () => {
    using mounted = mount('tmpfs', 64 << 20)
    const path = join(mounted.path, 'app.db')
    create(path, pageSize, fillEvents(500))
    await using checker = await openChecker({ ...limits, folder: mounted.path, parallel: 1, engine: 'census' })
    damagePage(path)
    const result = await confirmed(path, checker)
    expect(result.verdict).toBe('damaged')
    expect(result.secondReading).toMatchObject({ how: 'not-possible', why: expect.stringContaining('tmpfs') as string })
  },
)

test('every check that finds damage reads a second time, and one that finds none does not', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-second-'))
  try {
    const path = join(folder, 'app.db')
    create(path, pageSize, fillEvents(500))
    await using checker = await openChecker({ ...limits, folder, parallel: 1, engine: 'census' })
    const run = {
      checker,
      accept: [],
      invariants: [],
      sampleShare: null,
      ledger: null,
      backups: null,
      rehearsing: null,
      folder,
      map: false,
    }
    const checkOnce = async (name: string): Promise<Result> => {
      await using copy = await acquireCopy({ tenant: null, named: path }, run, name, 'full', signal)
      return (await copy.check(() => {})).result
    }
    expect((await checkOnce('sound')).secondReading).toBeUndefined()
    damagePage(path)
    const damaged = await checkOnce('damaged')
    expect([damaged.verdict, damaged.secondReading?.verdict ?? damaged.secondReading?.how]).toEqual([
      'damaged',
      damaged.secondReading?.how === 'not-possible' ? 'not-possible' : 'damaged',
    ])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('a file is read past the page cache at any offset and length', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-uncached-'))
  try {
    const path = join(folder, 'bytes')
    const bytes = Buffer.from(Array.from({ length: 300_001 }, (_, i) => (i * 7919) >>> 3))
    const made = openSync(path, 'wx')
    writeSync(made, bytes)
    closeSync(made)
    dropFromCache(path)
    const file = openUncached(path)
    if (typeof file === 'string') return expect(file).toContain('memory')
    using open = file
    for (const [offset, length] of [
      [0, 512],
      [4096, 4096],
      [511, 5000],
      [131_071, 150_000],
      [299_000, 5000],
      [400_000, 10],
    ] as const)
      expect(Buffer.from(open.read(offset, length)).equals(bytes.subarray(offset, offset + length))).toBe(true)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
