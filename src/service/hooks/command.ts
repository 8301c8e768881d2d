/**
 * One command of the configuration: no shell, a session of its own, a deadline, bounded output. A command has ended
 * when it has exited. What it left running lives on: it is neither waited for nor killed.
 *
 * Output goes to files without a name, not to pipes. A command that outlives us, and whatever it left running, can
 * write on: a pipe without a reader would end them with SIGPIPE.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, fstatSync, ftruncateSync, readSync } from 'node:fs'
import { fcntlNumber, memoryFile } from '../../host/libc.ts'
import { isAlive, startTimeOf } from '../../host/processes.ts'
import type { StartedProcess } from '../port.ts'

export interface Ran {
  /** `unkillable`: it had no time left, and runs on, because it became another user or waits for a dead disk. */
  readonly how: 'exit' | 'signal' | 'timeout' | 'unkillable' | 'not-started' | 'aborted' | 'too-much-output'
  readonly code: number | null
  /** Empty unless it was asked for. */
  readonly stdout: string
  /** Last line of stderr, or why it was not started. */
  readonly complaint: string
}

export interface CommandTerms {
  readonly timeoutMs: number
  /** An abort kills the command. */
  readonly signal: AbortSignal
  /** Added to our environment. */
  readonly env: Readonly<Record<string, string>>
  /** Is what it prints to stdout wanted? Else it goes to /dev/null. */
  readonly keepsStdout: boolean
  /** Told at once when the command runs. */
  readonly onStarted: (process: StartedProcess) => void
}

/** A list of a million tenants has as many. What was printed, its text and its values lie in memory at the same time. */
export const stdoutBytesMax = 64 * 1024 * 1024
const stderrBytesMax = 16 * 1024 * 1024
const stderrBytesKept = 4_096
/** In this time a fast program prints a fifth of what it may. */
const outputLookEveryMs = 20
/** How long a command that was killed may take to be gone. */
const goneWithinMs = 5_000

/**
 * Never rejects for what a command does. At the deadline the command and its group are killed.
 * @throws {SystemCallError} when there is nowhere for it to write
 */
export async function runCommand(argv: readonly string[], terms: CommandTerms): Promise<Ran> {
  using output = new CommandOutput(terms.keepsStdout)
  return await new Promise<Ran>((resolve) => {
    const { signal } = terms
    if (signal.aborted) return resolve({ how: 'aborted', code: null, stdout: '', complaint: '' })
    const child = start(argv, terms, output)
    if (child instanceof Error) {
      return resolve({ how: 'not-started', code: null, stdout: '', complaint: reasonOf(child) })
    }
    const started = child.pid === undefined ? null : { pid: child.pid, startTime: startTimeOf(child.pid) ?? '' }
    let killedFor: Ran['how'] | null = null
    let giveUp: NodeJS.Timeout | null = null
    const kill = (why: Ran['how']): void => {
      // Once it has exited, its group may hold what it left running.
      if (started === null || !isAlive(started.pid, started.startTime)) return
      killedFor ??= why
      killProcessGroup(started.pid)
      giveUp ??= setTimeout(() => {
        killedFor = 'unkillable'
        child.unref()
        settle(killedFor, null, output.complaint())
      }, goneWithinMs)
    }
    const timer = setTimeout(() => kill('timeout'), terms.timeoutMs)
    const looking = setInterval(() => { if (output.isTooMuch()) kill('too-much-output') }, outputLookEveryMs)
    const onAbort = (): void => kill('aborted')
    signal.addEventListener('abort', onAbort, { once: true })
    const settle = (how: Ran['how'], code: number | null, complaint: string): void => {
      for (const one of [timer, giveUp]) if (one) clearTimeout(one)
      clearInterval(looking)
      signal.removeEventListener('abort', onAbort)
      const ended = killedFor ?? (output.isTooMuch() ? 'too-much-output' : how)
      resolve({ how: ended, code, stdout: ended === 'exit' ? output.stdoutText() : '', complaint })
    }
    child.once('error', (error) => settle('not-started', null, reasonOf(error)))
    child.once('exit', (code, endedBy) => settle(endedBy === null ? 'exit' : 'signal', code, output.complaint()))
    if (started) terms.onStarted(started)
  })
}

/** @returns why it could not be started; most such errors are told later, by an event */
function start(argv: readonly string[], terms: CommandTerms, { stdout, stderr }: CommandOutput): ChildProcess | Error {
  const [program = '', ...args] = argv
  const env = { ...process.env, ...terms.env }
  try {
    return spawn(program, args, { shell: false, stdio: ['ignore', stdout ?? 'ignore', stderr], detached: true, env })
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) return error
    throw error
  }
}

const reasonOf = (error: NodeJS.ErrnoException): string => error.code ?? error.message

/** Where a command writes. */
class CommandOutput implements Disposable {
  /** null: nobody wants it. */
  readonly stdout: number | null
  readonly stderr: number

  constructor(keepsStdout: boolean) {
    this.stderr = appendedFile('stderr')
    try {
      this.stdout = keepsStdout ? appendedFile('stdout') : null
    } catch (error) {
      closeSync(this.stderr)
      throw error
    }
  }

  /** Of its complaints only the last are kept; more on stdout than anybody reads is a fault. */
  isTooMuch(): boolean {
    if (fstatSync(this.stderr).size > stderrBytesMax) ftruncateSync(this.stderr)
    return this.stdout !== null && fstatSync(this.stdout).size > stdoutBytesMax
  }

  stdoutText(): string {
    return this.stdout === null ? '' : lastOf(this.stdout, stdoutBytesMax).toString('utf8')
  }

  complaint(): string {
    return lastOf(this.stderr, stderrBytesKept).toString('utf8').trim().split(/\r?\n/).at(-1)?.slice(0, 300) ?? ''
  }

  [Symbol.dispose](): void {
    closeSync(this.stderr)
    if (this.stdout !== null) closeSync(this.stdout)
  }
}

/** Each write goes to the end, also after the file was cut. */
function appendedFile(what: string): number {
  const descriptor = memoryFile(`holdfast-${what}`)
  const [F_SETFL, O_APPEND] = [4, 0x400]
  fcntlNumber(descriptor, F_SETFL, O_APPEND)
  return descriptor
}

function lastOf(descriptor: number, bytesMax: number): Buffer {
  const { size } = fstatSync(descriptor)
  const bytes = Buffer.alloc(Math.min(size, bytesMax))
  let read = 0
  while (read < bytes.length) {
    const more = readSync(descriptor, bytes, read, bytes.length - read, size - bytes.length + read)
    if (more === 0) break // Somebody else has cut it since.
    read += more
  }
  return bytes.subarray(0, read)
}

/** @returns false where it may not be killed */
export function killProcessGroup(pid: number): boolean {
  try {
    process.kill(-pid, 'SIGKILL')
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ESRCH' && code !== 'EPERM') throw error
    return code === 'ESRCH'
  }
}
