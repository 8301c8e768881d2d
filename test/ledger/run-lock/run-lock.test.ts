import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openDescriptor } from '../../../src/host/files/descriptor.ts'
import { onLeaseBreak, takeWriteLease } from '../../../src/host/locks/kernel-lease.ts'
import { takeRunLock } from '../../../src/ledger/run-lock/run-lock.ts'
import { ownerOfThisRun } from '../../../src/ledger/run-lock/run-owner.ts'
import { startOtherProcess } from '../../support/host/other-process.ts'
import { scratch } from '../../support/ledger/sample-events.ts'
import { eventually } from '../../support/processes.ts'

interface Holder {
  readonly process: ChildProcess
  /** `held RUN` or the failure. */
  readonly said: string
}

async function startHolder(dir: string, service = 'notes'): Promise<Holder> {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, '../../support/programs/run-lock-holder.ts'), dir, service],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  let said = ''
  while (!said.includes('\n')) said += String((await once(child.stdout, 'data'))[0])
  return { process: child, said: said.trim() }
}

async function end({ process }: Holder, how: 'kill' | 'politely'): Promise<void> {
  const closed = once(process, 'close')
  if (how === 'kill') process.kill('SIGKILL')
  else process.stdin?.end()
  await closed
}

const active = (text: string) =>
  expect.objectContaining({ code: 'RUN_ACTIVE', message: expect.stringContaining(text) as string }) as Error
const folderOf = (dir: string): string => join(dir, 'run-notes.lock')
const ownerFileOf = (dir: string): string => join(dir, 'run-notes.json')

/** What a run leaves behind when the machine goes down under it. */
function leaveBehind(dir: string, owner: unknown): void {
  mkdirSync(folderOf(dir))
  writeFileSync(ownerFileOf(dir), typeof owner === 'string' ? owner : JSON.stringify(owner), { mode: 0o600 })
}
const elsewhere = { ...ownerOfThisRun('RUN-ELSEWHERE', false), pid: 2 ** 22 - 1, startTime: '5' }

test('a run keeps its lock when another program opens a file that it has leased', async () => {
  using folder = scratch()
  await using _lock = await takeRunLock(folder.path, 'notes')
  const file = join(folder.path, 'leased')
  writeFileSync(file, 'leased')
  let breaks = 0
  using _listening = onLeaseBreak(() => {
    breaks += 1
  })
  await using other = await startOtherProcess()
  const leased = openDescriptor(file, 'read-write')
  try {
    expect(takeWriteLease(leased.number)).toEqual({ kind: 'granted' })
    const flags = constants.O_RDWR | constants.O_NONBLOCK
    await expect(other.do({ do: 'open', path: file, flags })).rejects.toThrow(/EAGAIN/)
    await eventually('the signal of the kernel', () => breaks > 0)
    // The kernel's one signal has two names in Node. All that listens to either has heard it in the next turn.
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(existsSync(folderOf(folder.path))).toBe(true)
    expect(breaks).toBe(1)
  } finally {
    leased.close()
  }
})

test.concurrent('a second run learns which run it waits for, and gets the lock when that ends', async () => {
  using folder = scratch()
  const holder = await startHolder(folder.path)
  expect(holder.said).toMatch(/^held /)
  const run = holder.said.replace('held ', '')
  await expect(takeRunLock(folder.path, 'notes')).rejects.toEqual(
    active(`pid ${holder.process.pid}, run ${run}, since 2`),
  )
  await end(holder, 'politely')
  expect(readdirSync(folder.path)).toEqual(['run-notes.json'])
  await (await takeRunLock(folder.path, 'notes'))[Symbol.asyncDispose]()
})

test.concurrent('runs of different services do not wait for each other', async () => {
  using folder = scratch()
  await using _one = await takeRunLock(folder.path, 'notes')
  await using _other = await takeRunLock(folder.path, '../other')
  await expect(takeRunLock(folder.path, 'notes')).rejects.toEqual(active(`pid ${process.pid}`))
  expect(existsSync(join(folder.path, 'run-..%2Fother.lock'))).toBe(true)
})

test.concurrent('after a crash the next run comes in at once, and of many that try exactly one', async () => {
  using folder = scratch()
  for (const attempts of [1, 5]) {
    const crashed = await startHolder(folder.path)
    expect(crashed.said).toMatch(/^held /)
    await end(crashed, 'kill')
    expect(existsSync(folderOf(folder.path))).toBe(true)
    const holders = await Promise.all(Array.from({ length: attempts }, () => startHolder(folder.path)))
    expect(holders.filter((holder) => holder.said.startsWith('held'))).toHaveLength(1)
    expect(holders.filter((holder) => holder.said.startsWith('RUN_ACTIVE'))).toHaveLength(attempts - 1)
    await Promise.all(holders.map((holder) => end(holder, 'politely')))
  }
})

test.concurrent('many attempts in one process after a crash: exactly one comes in', async () => {
  using folder = scratch()
  leaveBehind(folder.path, elsewhere)
  const attempts = await Promise.allSettled(Array.from({ length: 30 }, () => takeRunLock(folder.path, 'notes')))
  const taken = attempts.flatMap((attempt) => (attempt.status === 'fulfilled' ? [attempt.value] : []))
  expect(taken).toHaveLength(1)
  await taken[0]?.[Symbol.asyncDispose]()
})

test.concurrent('a run that is only stopped still has the lock', async () => {
  using folder = scratch()
  const holder = await startHolder(folder.path)
  holder.process.kill('SIGSTOP')
  await expect(takeRunLock(folder.path, 'notes')).rejects.toEqual(active(`pid ${holder.process.pid}`))
  await end(holder, 'kill')
})

const doubtful: readonly (readonly [string, unknown])[] = [
  ['nobody signed', ''],
  ['the signature is garbled', '{"pid": 1'],
  ['the run is on another machine, or before a boot', { ...elsewhere, bootId: '00000000-0000-0000-0000-000000000000' }],
  ['the run is in another container', { ...elsewhere, pidNamespace: 'pid:[1]' }],
  ['the run is still there', { ...ownerOfThisRun('RUN-THERE', false) }],
  ['it says that it began at no time', { ...ownerOfThisRun('RUN-THERE', false), since: 1e300 }],
  ['it is not known when the process began', { ...elsewhere, startTime: '' }],
]
test.concurrent.each(doubtful)(
  'a lock left behind is waited for when %s, and taken once it is stale',
  async (_why, owner) => {
    using folder = scratch()
    leaveBehind(folder.path, owner)
    await expect(takeRunLock(folder.path, 'notes')).rejects.toEqual(active('another run works on this service'))
    expect(existsSync(folderOf(folder.path))).toBe(true)
    const aMinuteAgo = Date.now() / 1000 - 61
    utimesSync(folderOf(folder.path), aMinuteAgo, aMinuteAgo)
    await using _lock = await takeRunLock(folder.path, 'notes')
    expect(readFileSync(ownerFileOf(folder.path), 'utf8')).toContain(`"pid":${process.pid},`)
  },
)

test.concurrent('a run killed with its container does not keep the next one out: its kernel lock is free', async () => {
  using folder = scratch()
  leaveBehind(folder.path, { ...elsewhere, pidNamespace: 'pid:[1]', locked: true })
  await using lock = await takeRunLock(folder.path, 'notes')
  expect(lock.compromised.aborted).toBe(false)
})

test.concurrent('a lock whose kernel part is free gives no advice to wait for the run', async () => {
  using folder = scratch()
  leaveBehind(folder.path, { ...elsewhere, bootId: '00000000-0000-0000-0000-000000000000', locked: true })
  await expect(takeRunLock(folder.path, 'notes')).rejects.toMatchObject({
    hint: expect.stringContaining('within 60 s') as string,
  })
})

test.concurrent('a lock left behind with a time in the future is stale after a minute, not after years', async () => {
  using folder = scratch()
  leaveBehind(folder.path, { ...elsewhere, bootId: '00000000-0000-0000-0000-000000000000' })
  const inTenYears = Date.now() / 1000 + 10 * 365 * 86_400
  utimesSync(folderOf(folder.path), inTenYears, inTenYears)
  await expect(takeRunLock(folder.path, 'notes')).rejects.toEqual(active('another run works on this service'))
  expect(Math.abs(statSync(folderOf(folder.path)).mtimeMs - Date.now())).toBeLessThan(30_000)
})

test.concurrent('a pid that belongs to another process by now does not block the next run', async () => {
  using folder = scratch()
  leaveBehind(folder.path, { ...ownerOfThisRun('RUN-GONE', false), pid: process.ppid, startTime: '1' })
  await using lock = await takeRunLock(folder.path, 'notes')
  expect(lock.compromised.aborted).toBe(false)
})

test.concurrent('a lock that another process took is reported before its next update', async () => {
  using folder = scratch()
  await using lock = await takeRunLock(folder.path, 'notes')
  const told = once(lock.compromised, 'abort')
  const later = Date.now() / 1000 + 5
  utimesSync(folderOf(folder.path), later, later)
  // The look itself must not keep a process alive, so somebody else has to.
  const awake = setInterval(() => {}, 1000)
  await told
  clearInterval(awake)
  expect(lock.compromised.reason).toEqual(active('was lost'))
  // It belongs to whoever took it: disposing of ours must not remove it.
  await lock[Symbol.asyncDispose]()
  expect(existsSync(folderOf(folder.path))).toBe(true)
})

test.concurrent('a folder that others can write to is no place for a lock', async () => {
  using folder = scratch()
  const dir = join(folder.path, 'open')
  mkdirSync(dir, { mode: 0o700 })
  chmodSync(dir, 0o777)
  await expect(takeRunLock(dir, 'notes')).rejects.toMatchObject({ code: 'LEDGER_UNUSABLE' })
})
