import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import { afterEach, expect, test } from 'vitest'
import { ChildEndError, startChild, type Child, type ChildOptions } from '../../../src/host/process/child.ts'
import { isAlive, startTimeOf } from '../../../src/host/process/processes.ts'
import { programBeside } from '../../../src/host/process/program-beside.ts'
import { Bug } from '../../../src/model/bug.ts'
import { programOf } from '../../support/host/other-process.ts'
import { eventually } from '../../support/processes.ts'
import type { UnrulyOrder } from '../../support/programs/unruly.ts'

const plain: ChildOptions = { ownSession: false, niceness: 0, memoryBytesMax: null, env: {} }
const started: Child<UnrulyOrder, unknown>[] = []
const start = async (options: Partial<ChildOptions> = {}): Promise<Child<UnrulyOrder, unknown>> => {
  const child = await startChild<UnrulyOrder, unknown>(programOf('unruly'), { ...plain, ...options })
  started.push(child)
  return child
}
const soon = { timeoutMs: 20_000 }
const isGone = (pid: number): boolean => startTimeOf(pid) === null || !isAlive(pid, startTimeOf(pid) ?? '')

afterEach(async () => {
  for (const child of started.splice(0)) await child[Symbol.asyncDispose]()
})

test('answers come back as they were given, whatever they hold', async () => {
  const value = {
    big: 2n ** 63n,
    bytes: new Uint8Array([1, 2, 3]),
    map: new Map([['a', [1]]]),
    nothing: null,
    missing: undefined,
    far: new Date(7),
  }
  expect(await (await start()).ask({ whim: 'echo', value }, soon)).toEqual(value)
})

test('a message may be larger than any pipe holds at once', async () => {
  const value = new Uint8Array(5_000_000).map((_, i) => i)
  expect(await (await start()).ask({ whim: 'echo', value }, soon)).toEqual(value)
})

test('an answer that is an error rejects with its message, and the child goes on', async () => {
  const child = await start()
  await expect(child.ask({ whim: 'fail' }, soon)).rejects.toThrow('the schema is unreadable')
  expect(await child.ask({ whim: 'echo', value: 1 }, soon)).toBe(1)
})

test('a second question while one is open is a bug; one after it is not', async () => {
  const child = await start()
  const first = child.ask({ whim: 'echo', value: 1 }, soon)
  await expect(child.ask({ whim: 'echo', value: 2 }, soon)).rejects.toBeInstanceOf(Bug)
  expect(await first).toBe(1)
  expect(await child.ask({ whim: 'echo', value: 3 }, soon)).toBe(3)
})

test('a question that cannot be cloned rejects, and the child goes on', async () => {
  const child = await start()
  await expect(child.ask({ whim: 'echo', value: () => 1 }, soon)).rejects.toThrow(/could not be cloned/)
  expect(await child.ask({ whim: 'echo', value: 3 }, soon)).toBe(3)
})

test('what it is told is not answered', async () => {
  const child = await start()
  child.tell({ whim: 'told' })
  child.tell({ whim: 'told' })
  expect(await child.ask({ whim: 'told' }, soon)).toBe(2)
})

test('an exit in the middle of a question is told with its code', async () => {
  const child = await start()
  const asking = child.ask({ whim: 'exit' }, soon)
  await expect(asking).rejects.toBeInstanceOf(ChildEndError)
  await expect(asking).rejects.toMatchObject({ ended: { how: 'exit', code: 7, signal: null } })
  expect(await child.ended).toMatchObject({ how: 'exit', code: 7 })
})

test('a crash is told with its signal', async () => {
  await expect((await start()).ask({ whim: 'die' }, soon)).rejects.toMatchObject({
    ended: { how: 'signal', code: null, signal: 'SIGSEGV' },
  })
})

test('the last 4 KB that it wrote to stderr are kept', async () => {
  const child = await start()
  await expect(child.ask({ whim: 'shout' }, soon)).rejects.toBeInstanceOf(ChildEndError)
  const { stderr } = await child.ended
  expect(stderr).toHaveLength(4096)
  expect(stderr).toMatch(/^x+the end\n$/)
})

test('one that hangs is killed at its time, even in a loop that never returns', async () => {
  const child = await start()
  await child.ask({ whim: 'echo', value: 0 }, soon)
  const began = performance.now()
  await expect(child.ask({ whim: 'hang' }, { timeoutMs: 200 })).rejects.toMatchObject({
    ended: { how: 'killed-timeout', signal: 'SIGKILL' },
  })
  expect(performance.now() - began).toBeLessThan(20_000)
  expect(isGone(child.pid)).toBe(true)
})

test('a time limit that is longer than any timer does not end immediately', async () => {
  const child = await start()
  const value = new Uint8Array(5_000_000)
  expect(await child.ask({ whim: 'echo', value }, { timeoutMs: 40 * 86_400_000 })).toEqual(value)
})

test('one that eats memory is killed at its limit', async () => {
  await expect((await start({ memoryBytesMax: 300 << 20 })).ask({ whim: 'eat' }, soon)).rejects.toMatchObject({
    ended: { how: 'killed-memory', signal: 'SIGKILL' },
  })
})

test('one within its limit lives, and is the first that the kernel takes when memory runs out', async () => {
  const child = await start({ memoryBytesMax: 1 << 30 })
  expect(readFileSync(`/proc/${child.pid}/oom_score_adj`, 'utf8').trim()).toBe('1000')
  expect(await child.ask({ whim: 'echo', value: 1 }, soon)).toBe(1)
})

test('one that stops listening is ended', async () => {
  const child = await start()
  await expect(child.ask({ whim: 'disconnect' }, soon)).rejects.toMatchObject({
    ended: { how: 'signal', signal: 'SIGKILL' },
  })
})

test('one that says what is no answer is ended: it may be what the file that it read has made of it', async () => {
  await expect((await start()).ask({ whim: 'babble' }, soon)).rejects.toMatchObject({
    ended: { how: 'signal', signal: 'SIGKILL' },
  })
})

test('kill ends it, and asking or telling it afterwards says so or does nothing', async () => {
  const child = await start()
  child.kill()
  expect(await child.ended).toMatchObject({ how: 'signal', signal: 'SIGKILL' })
  await expect(child.ask({ whim: 'echo', value: 1 }, soon)).rejects.toBeInstanceOf(ChildEndError)
  child.tell({ whim: 'told' })
  child.kill()
})

test('a child killed between two questions rejects the second', async () => {
  const child = await start()
  await child.ask({ whim: 'echo', value: 1 }, soon)
  process.kill(child.pid, 'SIGKILL')
  await expect(child.ask({ whim: 'sleep' }, soon)).rejects.toMatchObject({ ended: { signal: 'SIGKILL' } })
})

test('disposing ends an idle child gently and a busy one by force, repeatably', async () => {
  const idle = await start()
  await idle.ask({ whim: 'echo', value: 1 }, soon)
  await idle[Symbol.asyncDispose]()
  expect(await idle.ended).toMatchObject({ how: 'exit', code: 0 })
  await idle[Symbol.asyncDispose]()

  const busy = await start()
  await busy.ask({ whim: 'echo', value: 1 }, soon)
  const asking = busy.ask({ whim: 'hang' }, soon).catch((error: unknown) => error)
  await busy[Symbol.asyncDispose]()
  expect(await asking).toBeInstanceOf(ChildEndError)
  expect(isGone(busy.pid)).toBe(true)
})

test('a grandchild that keeps stderr open does not keep the end from being told', async () => {
  const child = await start()
  const grandchild = Number(await child.ask({ whim: 'grandchild' }, soon))
  try {
    await child[Symbol.asyncDispose]()
    expect((await child.ended).code).toBe(0)
  } finally {
    process.kill(grandchild, 'SIGKILL')
  }
})

test('its environment is small: nothing of ours but PATH, TZ and LANG reaches it', async () => {
  process.env['HOLDFAST_TEST_SECRET'] = 'token'
  const seen = await (await start({ env: { GIVEN: 'yes' } })).ask({ whim: 'environment' }, soon)
  delete process.env['HOLDFAST_TEST_SECRET']
  expect((seen as string[]).filter((name) => !['PATH', 'TZ', 'LANG', 'NODE_COMPILE_CACHE'].includes(name))).toEqual([
    'GIVEN',
  ])
})

test('it runs as niced as was asked, in a session of its own if asked, with idle disk access if it wants', async () => {
  const child = await start({ niceness: 10, ownSession: true })
  expect(await child.ask({ whim: 'idle' }, soon)).toBeUndefined()
  expect(getPriority(child.pid)).toBe(10)
  const session = (pid: number): string | undefined =>
    readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ')[3]
  expect(session(child.pid)).toBe(String(child.pid))
  expect(session((await start()).pid)).toBe(session(process.pid))
})

/** How the kernel weighs the session of a process against others; null where it does not group by session. */
const sessionNicenessOf = (pid: number | 'self'): string | null => {
  const path = `/proc/${pid}/autogroup`
  return existsSync(path) ? (/ nice (-?\d+)$/m.exec(readFileSync(path, 'latin1'))?.[1] ?? '') : null
}

test.skipIf(sessionNicenessOf('self') === null)(
  'a session of its own is niced too, and that of others is not',
  async () => {
    const ours = sessionNicenessOf('self')
    const children = await Promise.all([1, 2, 3].map(() => start({ niceness: 10, ownSession: true })))
    for (const { pid } of children) await eventually('a niced session', () => sessionNicenessOf(pid) === '10')
    await start({ niceness: 10 })
    const important = await start({ ownSession: true })
    expect(await important.ask({ whim: 'echo', value: 1 }, soon)).toBe(1)
    expect([sessionNicenessOf(important.pid), sessionNicenessOf('self')]).toEqual(['0', ours])
  },
)

test('a program that is not there ends with what Node said', async () => {
  const child = await startChild<UnrulyOrder, unknown>('/nowhere/program.ts', plain)
  await expect(child.ask({ whim: 'told' }, soon)).rejects.toMatchObject({ ended: { how: 'exit', code: 1 } })
  expect((await child.ended).stderr).toContain('/nowhere/program.ts')
})

test('a program is looked for beside its module, in the form that the module has', () => {
  expect(programBeside('file:///a%20b/src/hold/probe.ts', 'probe-child')).toBe('/a b/src/hold/probe-child.ts')
  expect(programBeside('file:///dist/holdfast.js', 'probe-child')).toBe('/dist/probe-child.js')
})

/** Runs support/programs/parent.ts and gives what it said first. */
async function startParent(...given: string[]): Promise<{ said: string; pid: number; exited: Promise<number | null> }> {
  const parent = spawn(process.execPath, [programOf('parent'), programOf('unruly'), ...given], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = new Promise<number | null>((resolve) => {
    parent.once('exit', resolve)
  })
  const said = await new Promise<string>((resolve) => {
    parent.stdout.once('data', (bytes: Buffer) => resolve(String(bytes).trim()))
  })
  return { said, pid: parent.pid ?? 0, exited }
}

test.each([
  ['sleep', 'same-session'],
  ['hang', 'same-session'],
  ['hang', 'own-session'],
])('I4.1: a parent killed by SIGKILL leaves no child, one that does: %s, %s', async (behaviour, session) => {
  const parent = await startParent(behaviour, session)
  const pid = Number(parent.said)
  if (behaviour === 'hang')
    await eventually('it hangs', () => readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'hanging')
  process.kill(parent.pid, 'SIGKILL')
  await parent.exited
  await eventually('the child is gone', () => isGone(pid))
})

test.each(['idle', 'unasked'])('an %s child does not keep its parent from ending, and ends with it', async (how) => {
  const parent = await startParent(how)
  expect(await parent.exited).toBe(0)
  await eventually('the child is gone', () => isGone(Number(parent.said)))
})

test.each([
  ['late', 'ChildEndError: child process ended: killed-timeout SIGKILL'],
  ['exit', 'ChildEndError: child process ended: exit code 7'],
])('a parent with nothing else to do waits until it has heard how its child ended: %s', async (how, told) => {
  const parent = await startParent(how)
  expect(await parent.exited).toBe(0)
  expect(parent.said).toBe(told)
})

test('a parent that has no descriptor left is told that its child could not be started, and lives on', () => {
  const ran = spawnSync('sh', ['-c', 'ulimit -n 60; exec "$0" "$1"', process.execPath, programOf('exhausted')], {
    encoding: 'utf8',
  })
  expect(ran.stdout, ran.stderr).toMatch(
    /^Failure: cannot start the process unruly\.ts with .*: too many open files \(EMFILE\)\n$/,
  )
  expect(ran.status).toBe(0)
})
