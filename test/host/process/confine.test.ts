import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startChild, type Child } from '../../../src/host/process/child.ts'
import type { ConfinedFolder } from '../../../src/host/process/confine.ts'
import { isAlive, startTimeOf } from '../../../src/host/process/processes.ts'
import { programOf, temporaryFolder } from '../../support/host/other-process.ts'
import { eventually } from '../../support/processes.ts'
import type { ConfinedTask } from '../../support/programs/confined.ts'

const isRoot = process.geteuid?.() === 0
const soon = { timeoutMs: 20_000 }
let folder: ReturnType<typeof temporaryFolder>
let child: Child<ConfinedTask, unknown>
let ownFolder: ConfinedFolder

beforeEach(async () => {
  folder = temporaryFolder()
  chmodSync(folder.path, 0o711)
  mkdirSync(folder.file('own-folder'))
  chmodSync(folder.file('own-folder'), 0o755)
  writeFileSync(folder.file('own-folder/snapshot.db'), 'snapshot')
  chmodSync(folder.file('own-folder/snapshot.db'), 0o444)
  writeFileSync(folder.file('outside.db'), 'somebody else’s')
  chmodSync(folder.file('outside.db'), 0o666)
  ownFolder = { folder: folder.file('own-folder'), uid: 61_234, gid: 61_235 }
  child = await startChild<ConfinedTask, unknown>(programOf('confined'), {
    ownSession: false,
    niceness: 0,
    memoryBytesMax: null,
    env: {},
  })
})
afterEach(async () => {
  await child[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})
const attempt = (given: ConfinedTask): Promise<unknown> => child.ask(given, soon)

const EPERM = 1

/** The kernel refuses each, whatever is asked of it; on itself the process may do what it likes. */
async function expectFewCalls(): Promise<void> {
  const answers = Object.entries((await attempt({ do: 'calls' })) as Record<string, number>)
  expect(answers.filter(([, error]) => error !== EPERM)).toEqual([])
  expect(answers.length).toBeGreaterThan(15)
  expect(await attempt({ do: 'fork' })).toBe(`refused ${EPERM}`)
  expect(await attempt({ do: 'signal-parent' })).toBe('EPERM')
  expect(await attempt({ do: 'signal-itself' })).toBe('done')
  for (const thread of readdirSync(`/proc/${child.pid}/task`)) {
    expect(readFileSync(`/proc/${child.pid}/task/${thread}/status`, 'utf8')).toMatch(/^NoNewPrivs:\s+1\nSeccomp:\s+2$/m)
  }
}

describe('a child that keeps its user', () => {
  test('says which walls stand, and is refused network, programs and processes', async () => {
    expect(await attempt({ do: 'confine-in-place' })).toEqual(['few-calls'])
    await expectFewCalls()
    expect(readFileSync(`/proc/${child.pid}/limits`, 'utf8')).toMatch(
      /^Max core file size\s+0\s+0[^]*^Max processes\s+0\s+0/m,
    )
  })

  test('reaches no port of this machine, which it reached before', async () => {
    const server = createServer((socket) => socket.end()).listen(0, '127.0.0.1')
    await once(server, 'listening')
    try {
      const { port } = server.address() as AddressInfo
      expect(await attempt({ do: 'connect', port })).toBe('done')
      await attempt({ do: 'confine-in-place' })
      expect(await attempt({ do: 'connect', port })).toBe('EPERM')
    } finally {
      server.close()
    }
  })

  test('can do all of that before: what the tests try is what the walls refuse', async () => {
    const answers = Object.entries((await attempt({ do: 'calls' })) as Record<string, number>)
    expect(answers.filter(([, error]) => error === EPERM).map(([name]) => name)).toEqual([])
    expect(await attempt({ do: 'signal-parent' })).toBe('done')
  })

  test('that is only isolated still starts threads: those of the pool, and workers', async () => {
    expect(await attempt({ do: 'isolate' })).toBe(true)
    await expectFewCalls()
    expect(await attempt({ do: 'threads' })).toEqual(['pool', 'worker'])
  })
})

describe.skipIf(!isRoot)(`a confined child${isRoot ? '' : ' (skipped: only root can confine)'}`, () => {
  test('reads its snapshot and sees nothing outside', async () => {
    await attempt({ do: 'confine', folder: ownFolder })
    expect(await attempt({ do: 'read', path: '/snapshot.db' })).toBe('snapshot')
    expect(await attempt({ do: 'list', path: '/' })).toEqual(['snapshot.db'])
    expect(await attempt({ do: 'list', path: '/../..' })).toEqual(['snapshot.db'])
    for (const path of [
      '/etc/passwd',
      '/proc/self/status',
      folder.file('outside.db'),
      '../outside.db',
      'package.json',
    ]) {
      await expect(attempt({ do: 'read', path })).rejects.toThrow(/ENOENT/)
    }
  })

  test('cannot write or change what is root’s', async () => {
    await attempt({ do: 'confine', folder: ownFolder })
    await expect(attempt({ do: 'write', path: '/snapshot.db' })).rejects.toThrow(/EACCES/)
    await expect(attempt({ do: 'write', path: '/new.db' })).rejects.toThrow(/EACCES/)
    await expect(attempt({ do: 'chmod', path: '/snapshot.db' })).rejects.toThrow(/EPERM/)
  })

  test('cannot become root again by any way, and has no groups left', async () => {
    await attempt({ do: 'confine', folder: ownFolder })
    expect(await attempt({ do: 'who' })).toEqual({ uid: 61_234, gid: 61_235, groups: [61_235] })
    expect(await attempt({ do: 'regain' })).toEqual(['EPERM', 'EPERM', 'EPERM', 'EPERM'])
    expect(await attempt({ do: 'chroot' })).toBe(-1)
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
    for (const kind of ['Inh', 'Prm', 'Eff', 'Amb']) expect(status).toMatch(new RegExp(`^Cap${kind}:\\s+0+$`, 'm'))
    expect(status).toMatch(/^NoNewPrivs:\s+1$/m)
    expect(status).toMatch(/^Uid:\s+61234\s+61234\s+61234\s+61234$/m)
  })

  test('I4.1: dies with its parent, though it hangs and has changed its user since', async () => {
    const parent = spawn(process.execPath, [programOf('jailer'), programOf('confined'), ownFolder.folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const pid = Number(
      await new Promise((resolve) => {
        parent.stdout.once('data', (bytes) => resolve(String(bytes)))
      }),
    )
    const started = startTimeOf(pid) ?? ''
    await eventually('it hangs', () => readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'hanging')
    parent.kill('SIGKILL')
    await eventually('it is gone', () => !isAlive(pid, started)).finally(() => {
      if (isAlive(pid, started)) process.kill(pid, 'SIGKILL')
    })
  })

  test('leaves no core behind', async () => {
    await attempt({ do: 'confine', folder: ownFolder })
    expect(readFileSync(`/proc/${child.pid}/limits`, 'utf8')).toMatch(/^Max core file size\s+0\s+0/m)
  })

  test('is not let in while a folder outside is open, through which it could leave', async () => {
    await attempt({ do: 'open-folder', path: folder.path })
    await expect(attempt({ do: 'confine', folder: ownFolder })).rejects.toThrow(/has a folder open/)
    expect(await attempt({ do: 'exists', path: '/etc/passwd' })).toBe(true)
  })

  test('every thread of it has lost its rights', async () => {
    await attempt({ do: 'list', path: '/' }) // The thread pool runs by now or not: either way none may stay root.
    await attempt({ do: 'confine', folder: ownFolder })
    for (const thread of readdirSync(`/proc/${child.pid}/task`)) {
      expect(readFileSync(`/proc/${child.pid}/task/${thread}/status`, 'utf8')).toMatch(
        /^Uid:\s+61234\s+61234\s+61234\s+61234$/m,
      )
    }
  })

  test.each([
    { uid: 0, gid: 5 },
    { uid: 5, gid: 0 },
  ])('as $uid:$gid is refused before anything is done', async (who) => {
    await expect(attempt({ do: 'confine', folder: { ...ownFolder, ...who } })).rejects.toThrow(/unprivileged/)
    expect(await attempt({ do: 'exists', path: '/etc/passwd' })).toBe(true)
  })

  test('says which walls stand, and is refused network, programs and processes', async () => {
    expect(await attempt({ do: 'confine', folder: ownFolder })).toEqual(['own-folder', 'other-user', 'few-calls'])
    await expectFewCalls()
  })

  test('makes nothing but plain files in a folder that is its own', async () => {
    mkdirSync(folder.file('own'))
    chownSync(folder.file('own'), ownFolder.uid, ownFolder.gid)
    await attempt({ do: 'confine', folder: { ...ownFolder, folder: folder.file('own') } })
    expect(await attempt({ do: 'plain-files' })).toEqual(['done', 'done', 'done', 'done'])
    expect(await attempt({ do: 'odd-files' })).toEqual(['EPERM', 'EPERM', 'EPERM'])
  })

  test('makes no file longer than it may, and cannot take that back', async () => {
    mkdirSync(folder.file('own'))
    chownSync(folder.file('own'), ownFolder.uid, ownFolder.gid)
    await attempt({ do: 'confine', folder: { ...ownFolder, folder: folder.file('own') } })
    await attempt({ do: 'limit', bytes: 1 << 20 })
    expect(await attempt({ do: 'grow', bytes: 1 << 20 })).toBe('done')
    expect(await attempt({ do: 'grow', bytes: (1 << 20) + 1 })).toBe('EFBIG')
    await attempt({ do: 'limit', bytes: 2 << 20 }) // A stricter limit stands, whoever set it.
    expect(await attempt({ do: 'grow', bytes: (1 << 20) + 1 })).toBe('EFBIG')
    expect(readFileSync(`/proc/${child.pid}/limits`, 'utf8')).toMatch(/^Max processes\s+0\s+0/m)
  })

  test('in a folder that does not exist is refused', async () => {
    await expect(attempt({ do: 'confine', folder: { ...ownFolder, folder: folder.file('missing') } })).rejects.toThrow(
      /chroot: ENOENT/,
    )
  })
})
