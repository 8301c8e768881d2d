import { closeSync, constants, open as openCallback, readFileSync, writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { copyRange } from '../../../src/host/files/copy-range.ts'
import { openDescriptor, type Descriptor } from '../../../src/host/files/descriptor.ts'
import { leaseOf, onLeaseBreak, releaseLease, takeWriteLease } from '../../../src/host/locks/kernel-lease.ts'
import { mount, whyNoMount } from '../../support/host/mounts.ts'
import { startOtherProcess, temporaryFolder, type OtherProcess } from '../../support/host/other-process.ts'
import { eventually } from '../../support/processes.ts'

let folder: ReturnType<typeof temporaryFolder>
let otherProcess: OtherProcess
let file: string
let ours: Descriptor

beforeEach(async () => {
  folder = temporaryFolder()
  file = folder.file('l.bin')
  writeFileSync(file, Buffer.alloc(300_000, 7))
  otherProcess = await startOtherProcess()
  ours = openDescriptor(file, 'read-write')
})
afterEach(async () => {
  ours.close()
  await otherProcess[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})

test('F3: granted when no other process has the file, and again after it was released', () => {
  expect(leaseOf(ours.number)).toBe('none')
  expect(takeWriteLease(ours.number)).toEqual({ kind: 'granted' })
  expect(leaseOf(ours.number)).toBe('write')
  releaseLease(ours.number)
  releaseLease(ours.number)
  expect(leaseOf(ours.number)).toBe('none')
  expect(takeWriteLease(ours.number)).toEqual({ kind: 'granted' })
})

test.each(['read', 'write'] as const)(
  'F3, I1.3: refused while another process has the file open to %s',
  async (how) => {
    const descriptor = await otherProcess.open(file, how)
    expect(takeWriteLease(ours.number)).toEqual({ kind: 'refused' })
    await otherProcess.do({ do: 'close', descriptor })
    expect(takeWriteLease(ours.number)).toEqual({ kind: 'granted' })
  },
)

test.each(['shared', 'private'] as const)(
  'F3, I1.3: refused while another process has a %s mapping whose descriptor is closed',
  async (how) => {
    const descriptor = await otherProcess.open(file, 'write')
    expect(await otherProcess.do({ do: 'map', descriptor, bytes: 8192, how })).toBe('mapped')
    await otherProcess.do({ do: 'close', descriptor })
    expect(takeWriteLease(ours.number)).toEqual({ kind: 'refused' })
  },
)

test('F3: refused by a second opening of our own', async () => {
  using second = openDescriptor(file, 'read-only')
  expect(takeWriteLease(ours.number)).toEqual({ kind: 'refused' })
  expect(leaseOf(second.number)).toBe('none')
})

test('F4, F12: an open elsewhere fails or waits, we are told, and giving up lets it in', async () => {
  let breaks = 0
  using _listening = onLeaseBreak(() => {
    breaks += 1
  })
  expect(takeWriteLease(ours.number)).toEqual({ kind: 'granted' })
  const flags = constants.O_RDWR | constants.O_NONBLOCK
  await expect(otherProcess.do({ do: 'open', path: file, flags })).rejects.toThrow(/EAGAIN/)
  await eventually('SIGIO', () => breaks > 0)
  expect(leaseOf(ours.number)).toBe('none') // What it is about to become: the other wants to write.

  const began = performance.now()
  const waiting = otherProcess.open(file, 'write')
  releaseLease(ours.number)
  expect(await waiting).toBeGreaterThan(0)
  expect(performance.now() - began).toBeLessThan(20_000) // The kernel would have it wait for 45 s.
})

test('F4: an open for reading reduces the lease to read, which is no proof any more', async () => {
  let breaks = 0
  using _listening = onLeaseBreak(() => {
    breaks += 1
  })
  takeWriteLease(ours.number)
  await expect(
    otherProcess.do({ do: 'open', path: file, flags: constants.O_RDONLY | constants.O_NONBLOCK }),
  ).rejects.toThrow(/EAGAIN/)
  await eventually('SIGIO', () => breaks > 0)
  expect(leaseOf(ours.number)).toBe('read')
})

test('F4: all listeners are told, none that was disposed of, and without any the process lives on', async () => {
  const told: string[] = []
  const listener = (): void => {
    told.push('same')
  }
  const first = onLeaseBreak(listener)
  const second = onLeaseBreak(listener)
  const third = onLeaseBreak(() => {
    told.push('third')
  })
  const breakIt = async (): Promise<void> => {
    expect(takeWriteLease(ours.number)).toEqual({ kind: 'granted' })
    await expect(
      otherProcess.do({ do: 'open', path: file, flags: constants.O_RDWR | constants.O_NONBLOCK }),
    ).rejects.toThrow(/EAGAIN/)
  }
  await breakIt()
  await eventually('three calls', () => told.length >= 3)
  expect(told.sort()).toEqual(['same', 'same', 'third'])
  releaseLease(ours.number)
  first[Symbol.dispose]()
  first[Symbol.dispose]()
  third[Symbol.dispose]()
  await breakIt()
  await eventually('one call', () => told.length >= 4)
  expect(told.slice(3)).toEqual(['same'])
  second[Symbol.dispose]()
  releaseLease(ours.number)
  await breakIt()
  await new Promise((resolve) => setImmediate(resolve))
  expect(told).toHaveLength(4)
})

test('F5: our own second open breaks our own lease and waits for us', async () => {
  let breaks = 0
  using _listening = onLeaseBreak(() => {
    breaks += 1
  })
  takeWriteLease(ours.number)
  expect(() => openDescriptor(file, 'read-only')).toThrow(expect.objectContaining({ code: 'EAGAIN' }))
  await eventually('SIGIO', () => breaks > 0)
  let opened = false
  const waiting = promisify(openCallback)(file, 'r').then((descriptor) => {
    opened = true
    return descriptor
  })
  await new Promise((resolve) => setImmediate(resolve))
  expect(opened).toBe(false)
  releaseLease(ours.number)
  closeSync(await waiting)
})

test('F5: copying, looking and locking through the leased descriptor keep the lease', async () => {
  using _listening = onLeaseBreak(() => {
    throw new Error('the lease was broken')
  })
  takeWriteLease(ours.number)
  writeFileSync(folder.file('copy'), '')
  using copy = openDescriptor(folder.file('copy'), 'read-write')
  await copyRange(ours.number, copy.number, { offset: 0, bytes: 300_000 }, new AbortController().signal)
  expect(leaseOf(ours.number)).toBe('write')
  expect(readFileSync(folder.file('copy')).equals(Buffer.alloc(300_000, 7))).toBe(true)
})

test('without the right to take leases the answer is unsupported, not refused', async () => {
  const isRoot = process.geteuid?.() === 0
  using theirs = isRoot ? openDescriptor(file, 'read-only') : openDescriptor('/etc/passwd', 'read-only')
  if (isRoot) process.seteuid?.(65_534)
  try {
    expect(takeWriteLease(theirs.number)).toEqual({
      kind: 'unsupported',
      why: 'we neither own the file nor have CAP_LEASE (EACCES)',
    })
  } finally {
    if (isRoot) process.seteuid?.(0)
  }
})

test('an error of ours is thrown: a descriptor that is closed', () => {
  for (const act of [takeWriteLease, releaseLease, leaseOf])
    expect(() => act(987_654)).toThrow(expect.objectContaining({ code: 'EBADF' }))
})

describe.each(['tmpfs', 'xfs', 'ext4', 'overlay'] as const)('F11: on %s', (kind) => {
  const why = whyNoMount(kind)
  test.skipIf(why !== null)(`leases work${why === null ? '' : ` (skipped: ${why})`}`, async () => {
    using mounted = mount(kind, 1 << 20)
    const path = `${mounted.path}/l.bin`
    writeFileSync(path, 'bytes')
    using held = openDescriptor(path, 'read-write')
    const descriptor = await otherProcess.open(path, 'read')
    expect(takeWriteLease(held.number)).toEqual({ kind: 'refused' })
    await otherProcess.do({ do: 'close', descriptor })
    expect(takeWriteLease(held.number)).toEqual({ kind: 'granted' })
    await expect(otherProcess.do({ do: 'open', path, flags: constants.O_RDWR | constants.O_NONBLOCK })).rejects.toThrow(
      /EAGAIN/,
    )
  })
})
