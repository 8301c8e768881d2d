/**
 * Runs one command of the configuration: without a shell, in a session of its own, with a deadline and bounded output.
 * A command has ended when it has exited. holdfast neither waits for nor kills what the command left running.
 *
 * Output goes to files without a name, not to pipes. A command that outlives holdfast can still write; SIGPIPE would
 * end it at a pipe without a reader.
 */
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process'
import { closeSync, fstatSync, ftruncateSync, readSync, writeSync } from 'node:fs'
import { inWords, isSystemError, type SystemError } from '../../host/failures/system-failure.ts'
import { fcntlNumber, memoryFile } from '../../host/libc.ts'
import { retryShortage } from '../../host/process/child-start.ts'
import { initialFileMask, withFileMask } from '../../host/process/file-mask.ts'
import { isAlive, startTimeOf } from '../../host/process/processes.ts'
import type { StartedProcess } from '../port.ts'

/** `unkillable`: its time is over and it still runs, because it became another user or waits for a dead disk. */
type EndKind = 'exit' | 'signal' | 'timeout' | 'unkillable' | 'aborted' | 'too-much-output'

export type CommandEnd = EndOf<{ readonly how: EndKind } | { readonly how: 'not-started'; readonly error: SystemError }>

type EndOf<How> = How & {
  readonly code: number | null
  /** Empty unless `readsStdout` was set. */
  readonly stdout: string
  /** Last line of stderr, or the reason why it was not started. */
  readonly complaint: string
}

export interface CommandOptions {
  readonly timeoutMs: number
  /** An abort kills the command. */
  readonly signal: AbortSignal
  /** Added to our environment. */
  readonly env: Readonly<Record<string, string>>
  /** If false, stdout is /dev/null. */
  readonly readsStdout: boolean
  /** What the command reads on stdin; left out: nothing. */
  readonly stdin?: string
  /** Called as soon as the command runs. */
  readonly onStarted: (process: StartedProcess) => void
}

/** The size of a list of a million tenants. Its bytes, its text and its values are in memory at the same time. */
export const stdoutBytesMax = 64 * 1024 * 1024
const stderrBytesMax = 16 * 1024 * 1024
const stderrBytesKept = 4_096
/** A fast program prints a fifth of the bound in this time. */
const outputCheckEveryMs = 20
/** How long a killed command may take until it is gone. */
const goneWithinMs = 5_000

/** Never rejects because of the command. At the deadline the command is killed with its process group. */
export async function runCommand(argv: readonly string[], terms: CommandOptions): Promise<CommandEnd> {
  const output = await orSystemError(() => new CommandFiles(terms))
  if (output instanceof Error) return notStarted(output)
  using _output = output
  if (terms.signal.aborted) return aborted
  const child = await orSystemError(() => start(argv, terms, output))
  return child instanceof Error ? notStarted(child) : await untilEnded(child, terms, output)
}

/** Retries if the machine is short of a resource. @throws any error that is none of the system */
async function orSystemError<Value>(attempt: () => Value | Promise<Value>): Promise<Value | SystemError> {
  try {
    return await retryShortage(async () => attempt())
  } catch (error) {
    if (!isSystemError(error)) throw error
    return error
  }
}

const notStarted = (error: SystemError): CommandEnd => ({
  how: 'not-started',
  code: null,
  stdout: '',
  complaint: inWords(error),
  error,
})

const aborted: CommandEnd = { how: 'aborted', code: null, stdout: '', complaint: '' }

function untilEnded(child: ChildProcess, terms: CommandOptions, output: CommandFiles): Promise<CommandEnd> {
  return new Promise<CommandEnd>((resolve) => {
    const { signal } = terms
    const started = identityOf(child)
    let killedFor: EndKind | null = null
    let giveUp: NodeJS.Timeout | null = null
    const kill = (why: EndKind): void => {
      // After its exit, its group may contain processes that it left running.
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
    const outputTimer = setInterval(() => {
      if (output.isTooMuch()) kill('too-much-output')
    }, outputCheckEveryMs)
    const onAbort = (): void => kill('aborted')
    signal.addEventListener('abort', onAbort, { once: true })
    const settle = (how: EndKind, code: number | null): void => {
      for (const one of [timer, giveUp]) if (one) clearTimeout(one)
      clearInterval(outputTimer)
      signal.removeEventListener('abort', onAbort)
      const ended = killedFor ?? (output.isTooMuch() ? 'too-much-output' : how)
      resolve({ how: ended, code, stdout: ended === 'exit' ? output.stdoutText() : '', complaint: output.complaint() })
    }
    child.once('exit', (code, endedBy) => settle(endedBy === null ? 'exit' : 'signal', code))
    if (started) terms.onStarted(started)
    if (signal.aborted) onAbort()
  })
}

/** null if no descriptor is free to read its start time. The command runs all the same. */
function identityOf({ pid }: ChildProcess): StartedProcess | null {
  if (pid === undefined) return null
  try {
    return { pid, startTime: startTimeOf(pid) ?? '' }
  } catch (error) {
    if (!isSystemError(error)) throw error
    return null
  }
}

/** Node learns of the exit a little late, so this asks the system if it can. */
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

/** Resolves when the command runs. */
function start(
  [program = '', ...args]: readonly string[],
  terms: CommandOptions,
  { stdin, stdout, stderr }: CommandFiles,
): Promise<ChildProcess> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ...terms.env }
    const stdio = [stdin ?? 'ignore', stdout ?? 'ignore', stderr] satisfies StdioOptions
    const child = withFileMask(initialFileMask(), () =>
      spawn(program, args, { shell: false, stdio, detached: true, env }),
    )
    child.once('spawn', () => resolve(child))
    child.on('error', reject)
  })
}

/** The files that a command reads and writes. */
class CommandFiles implements Disposable {
  /** null if it has nothing to read. */
  readonly stdin: number | null
  /** null if stdout is not read. */
  readonly stdout: number | null
  readonly stderr: number

  constructor({ readsStdout, stdin }: Pick<CommandOptions, 'readsStdout' | 'stdin'>) {
    const opened: number[] = []
    const open = (descriptor: number): number => (opened.push(descriptor), descriptor)
    try {
      this.stderr = open(appendedFile('stderr'))
      this.stdout = readsStdout ? open(appendedFile('stdout')) : null
      this.stdin = stdin === undefined ? null : open(memoryFile('holdfast-stdin'))
      if (this.stdin !== null && stdin !== undefined) writeAtStart(this.stdin, stdin)
    } catch (error) {
      opened.forEach((descriptor) => closeSync(descriptor))
      throw error
    }
  }

  /** Cuts a long stderr, of which only the end is used. @returns true if stdout is beyond its bound */
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
    for (const descriptor of [this.stderr, this.stdout, this.stdin]) if (descriptor !== null) closeSync(descriptor)
  }
}

/** The command shares the position in the file, so it stays at the start. */
function writeAtStart(descriptor: number, text: string): void {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length;) at += writeSync(descriptor, bytes, at, bytes.length - at, at)
}

/** A file in memory. Each write goes to its end, also after it was cut. */
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
    if (more === 0) break // The file was cut meanwhile.
    read += more
  }
  return bytes.subarray(0, read)
}

/** @returns false if we may not kill it */
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
