/** A child that confines itself and then tries what its parent asks. */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  ftruncateSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { createConnection } from 'node:net'
import { Worker } from 'node:worker_threads'
import { refuseCalls } from '../../../src/host/process/call-filter.ts'
import {
  answerQuestions,
  confine,
  confineInPlace,
  limitFileSize,
  type ConfinedFolder,
} from '../../../src/host/process/child-side.ts'

export type ConfinedTask =
  | { readonly do: 'confine'; readonly folder: ConfinedFolder }
  | { readonly do: 'open-folder'; readonly path: string }
  | { readonly do: 'read' | 'list' | 'write' | 'exists' | 'chmod'; readonly path: string }
  | { readonly do: 'limit' | 'grow'; readonly bytes: number }
  | { readonly do: 'connect'; readonly port: number }
  | {
      readonly do:
        | 'regain'
        | 'who'
        | 'hang'
        | 'chroot'
        | 'confine-in-place'
        | 'isolate'
        | 'calls'
        | 'fork'
        | 'signal-parent'
        | 'signal-itself'
        | 'odd-files'
        | 'plain-files'
        | 'threads'
    }

const koffi = createRequire(import.meta.url)('koffi') as {
  readonly errno: () => number
  readonly load: (library: null) => { readonly func: (declaration: string) => (...given: unknown[]) => number }
}
const libc = koffi.load(null)

/** Numbers on x64 and arm64 of calls that do nothing when all their arguments are zero. */
const calls: Readonly<Record<string, readonly [number, number]>> = {
  socket: [41, 198],
  socketpair: [53, 199],
  connect: [42, 203],
  bind: [49, 200],
  sendto: [44, 206],
  sendmsg: [46, 211],
  execve: [59, 221],
  execveat: [322, 281],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  pidfd_open: [434, 434],
  mount: [165, 40],
  setns: [308, 268],
  unshare: [272, 97],
  bpf: [321, 280],
  perf_event_open: [298, 241],
  io_uring_setup: [425, 425],
  add_key: [248, 217],
}

/** What the kernel answers: the number of its error, or 0. */
function called([x64, arm64]: readonly [number, number]): number {
  const result = libc.func('long syscall(long number, long a, long b, long c, long d, long e)')(
    process.arch === 'arm64' ? arm64 : x64,
    0,
    0,
    0,
    0,
    0,
  )
  return result < 0 ? koffi.errno() : 0
}

function fork(): string {
  const pid = libc.func('int fork()')()
  if (pid === 0) process.kill(process.pid, 'SIGKILL')
  return pid < 0 ? `refused ${koffi.errno()}` : 'forked'
}

function outcomeOf(work: () => unknown): string | undefined {
  try {
    work()
    return 'done'
  } catch (error) {
    return (error as NodeJS.ErrnoException).code
  }
}

answerQuestions<ConfinedTask, unknown>((attempt) => {
  switch (attempt.do) {
    case 'confine':
      process.setgroups?.([4, 27]) // As a login would leave them.
      return confine(attempt.folder)
    case 'confine-in-place':
      return confineInPlace()
    case 'isolate':
      return refuseCalls('isolated')
    case 'limit':
      return limitFileSize(attempt.bytes)
    case 'grow':
      writeFileSync('grown', '')
      return outcomeOf(() => ftruncateSync(openSync('grown', 'r+'), attempt.bytes))
    case 'connect':
      return new Promise((resolve) => {
        const socket = createConnection({ host: '127.0.0.1', port: attempt.port })
        socket
          .on('error', (error) => resolve((error as NodeJS.ErrnoException).code))
          .on('connect', () => resolve('done'))
      })
    case 'calls':
      return Object.fromEntries(Object.entries(calls).map(([name, numbers]) => [name, called(numbers)]))
    case 'fork':
      return fork()
    case 'signal-parent':
      return outcomeOf(() => process.kill(process.ppid, 0))
    case 'signal-itself':
      return outcomeOf(() => process.kill(process.pid, 0))
    case 'odd-files':
      writeFileSync('own', 'own')
      return [
        () => symlinkSync('/etc/passwd', 'pointer'),
        () => linkSync('own', 'second'),
        () => chmodSync('own', 0o4777),
      ].map(outcomeOf)
    case 'plain-files':
      return [
        () => writeFileSync('journal', 'x'),
        () => renameSync('journal', 'renamed'),
        () => copyFileSync('renamed', 'copy'),
        () => unlinkSync('renamed'),
      ].map(outcomeOf)
    case 'threads':
      return Promise.all([
        readFile('/proc/self/comm', 'utf8').then(() => 'pool'),
        new Promise((resolve, reject) =>
          new Worker('require("node:worker_threads").parentPort.postMessage("worker")', { eval: true })
            .on('message', resolve)
            .on('error', reject),
        ),
      ])
    case 'open-folder':
      return openSync(attempt.path, 'r')
    case 'read':
      return readFileSync(attempt.path, 'utf8')
    case 'list':
      return readdirSync(attempt.path)
    case 'write':
      return writeFileSync(attempt.path, 'written')
    case 'exists':
      return existsSync(attempt.path)
    case 'chmod':
      return chmodSync(attempt.path, 0o777)
    case 'regain':
      return [
        () => process.setuid?.(0),
        () => process.seteuid?.(0),
        () => process.setgid?.(0),
        () => process.setgroups?.([0]),
      ].map((way) => {
        try {
          way()
          return 'regained'
        } catch (error) {
          return (error as NodeJS.ErrnoException).code
        }
      })
    case 'chroot':
      return libc.func('int chroot(const char *folder)')('.')
    case 'who':
      return { uid: process.getuid?.(), gid: process.getgid?.(), groups: process.getgroups?.() }
    case 'hang':
      process.title = 'hanging'
      for (;;) {
        /* Until its parent ends it. */
      }
  }
})
