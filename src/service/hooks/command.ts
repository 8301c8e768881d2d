/**
 * One command of the configuration: no shell, a session of its own, a deadline, bounded output. A command has ended
 * when it has exited. What it left running lives on: it is neither waited for nor killed.
 *
 * Output goes to files without a name, not to pipes. A command that outlives us, and whatever it left running, can
 * write on: a pipe without a reader would end them with SIGPIPE.
 */
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process'
import { closeSync, fstatSync, ftruncateSync, readSync } from 'node:fs'
import { inWords, isSystemError, type SystemError } from '../../host/failures/system-failure.ts'
import { fcntlNumber, memoryFile } from '../../host/libc.ts'
import { despiteShortage } from '../../host/process/child-start.ts'
import { givenMask, underMask } from '../../host/process/file-mask.ts'
import { isAlive, startTimeOf } from '../../host/process/processes.ts'
import type { StartedProcess } from '../port.ts'

/** `unkillable`: it had no time left, and runs on, because it became another user or waits for a dead disk. */
type Began = 'exit' | 'signal' | 'timeout' | 'unkillable' | 'aborted' | 'too-much-output'

export type Ran = RanFor<{ readonly how: Began } | { readonly how: 'not-started'; readonly error: SystemError }>

type RanFor<How> = How & {
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

/**
 * A list of a million tenants has as many. What was printed, its text and its values lie in memory at the same time.
 */
export const stdoutBytesMax = 64 * 1024 * 1024
const stderrBytesMax = 16 * 1024 * 1024
const stderrBytesKept = 4_096
/** In this time a fast program prints a fifth of what it may. */
const outputLookEveryMs = 20
/** How long a command that was killed may take to be gone. */
const goneWithinMs = 5_000

/** Never rejects for what a command does. At the deadline the command and its group are killed. */
export async function runCommand(argv: readonly string[], terms: CommandTerms): Promise<Ran> {
  const output = await orSystemError(() => new CommandOutput(terms.keepsStdout))
  if (output instanceof Error) return notStarted(output)
  using _output = output
  if (terms.signal.aborted) return aborted
  const child = await orSystemError(() => start(argv, terms, output))
  return child instanceof Error ? notStarted(child) : await untilEnded(child, terms, output)
}

/** Tries again a moment later where the machine is short of something. @throws what is no error of the system */
async function orSystemError<Value>(attempt: () => Value | Promise<Value>): Promise<Value | SystemError> {
  try {
    return await despiteShortage(async () => attempt())
  } catch (error) {
    if (!isSystemError(error)) throw error
    return error
  }
}

const notStarted = (error: SystemError): Ran => ({
  how: 'not-started',
  code: null,
  stdout: '',
  complaint: inWords(error),
  error,
})

const aborted: Ran = { how: 'aborted', code: null, stdout: '', complaint: '' }

function untilEnded(child: ChildProcess, terms: CommandTerms, output: CommandOutput): Promise<Ran> {
  return new Promise<Ran>((resolve) => {
    const { signal } = terms
    const started = identityOf(child)
    let killedFor: Began | null = null
    let giveUp: NodeJS.Timeout | null = null
    const kill = (why: Began): void => {
      // Once it has exited, its group may hold what it left running.
      if (child.pid === undefined || hasEnded(child, started)) return
      killedFor ??= why
      killProcessGroup(child.pid)
      giveUp ??= setTimeout(() => {
        killedFor = 'unkillable'
        child.unref()
        settle(killedFor, null)
      }, goneWithinMs)
    }
    const timer = setTimeout(() => kill('timeout'), terms.timeoutMs)
    const looking = setInterval(() => {
      if (output.isTooMuch()) kill('too-much-output')
    }, outputLookEveryMs)
    const onAbort = (): void => kill('aborted')
    signal.addEventListener('abort', onAbort, { once: true })
    const settle = (how: Began, code: number | null): void => {
      for (const one of [timer, giveUp]) if (one) clearTimeout(one)
      clearInterval(looking)
      signal.removeEventListener('abort', onAbort)
      const ended = killedFor ?? (output.isTooMuch() ? 'too-much-output' : how)
      resolve({ how: ended, code, stdout: ended === 'exit' ? output.stdoutText() : '', complaint: output.complaint() })
    }
    child.once('exit', (code, endedBy) => settle(endedBy === null ? 'exit' : 'signal', code))
    if (started) terms.onStarted(started)
    if (signal.aborted) onAbort()
  })
}

/** null where there is no descriptor to look with: the command runs all the same. */
function identityOf({ pid }: ChildProcess): StartedProcess | null {
  if (pid === undefined) return null
  try {
    return { pid, startTime: startTimeOf(pid) ?? '' }
  } catch (error) {
    if (!isSystemError(error)) throw error
    return null
  }
}

/** Node hears of its end a little late, so the system is asked where that is possible. */
function hasEnded(child: ChildProcess, started: StartedProcess | null): boolean {
  const heard = child.exitCode !== null || child.signalCode !== null
  if (heard || started === null) return heard
  try {
    return !isAlive(started.pid, started.startTime)
  } catch (error) {
    if (!isSystemError(error)) throw error
    return heard
  }
}

/** Resolves when it runs. */
function start(
  [program = '', ...args]: readonly string[],
  terms: CommandTerms,
  { stdout, stderr }: CommandOutput,
): Promise<ChildProcess> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ...terms.env }
    const stdio = ['ignore', stdout ?? 'ignore', stderr] satisfies StdioOptions
    const child = underMask(givenMask(), () => spawn(program, args, { shell: false, stdio, detached: true, env }))
    child.once('spawn', () => resolve(child))
    child.on('error', reject)
  })
}

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
