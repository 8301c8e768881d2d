/** Starts child processes, and describes for an operator why one did not start or ended too early. */
import { spawn, type ChildProcessWithoutNullStreams, type StdioOptions } from 'node:child_process'
import { Failure } from '../../model/failure.ts'
import { sleep } from '../clock.ts'
import { nameOfError, isSystemError, systemFailure } from '../failures/system-failure.ts'

export interface ProcessEnd {
  readonly how: 'exit' | 'signal' | 'killed-timeout' | 'killed-memory'
  /** null if a signal ended it. */
  readonly code: number | null
  readonly signal: string | null
  /** The last 4 KB of its standard error. */
  readonly stderr: string
}

export interface ProcessOptions {
  /** Shown to an operator instead of the command line. */
  readonly name: string
  readonly env: Readonly<Record<string, string>>
  /** In a session of its own: a Ctrl-C in our terminal does not reach it. */
  readonly ownSession: boolean
  /** It gets our standard error as descriptor 3, for what must be said when we cannot say it any more. */
  readonly ourErrors?: boolean
}

/** How long a shortage of the machine may last, in ms. A burst of processes by another program is over by then. */
const waitsMs = [50, 200, 750] as const
const passing = new Set(['EAGAIN', 'ENOMEM', 'EMFILE', 'ENFILE'])

/**
 * Resolves when the process runs; its program may still fail.
 * @throws {Failure} READ_FAILED if it could not be started, also after some retries
 */
export async function startProcess(
  args: readonly string[],
  start: ProcessOptions,
): Promise<ChildProcessWithoutNullStreams> {
  try {
    return await retryShortage(() => spawnOnce(args, start))
  } catch (error) {
    throw systemFailure(error, {
      doing: `start the process ${start.name} with`,
      path: process.execPath,
      code: 'READ_FAILED',
    })
  }
}

/** Tries again a moment later if the machine was short of a resource. @throws the error of the last attempt */
export async function retryShortage<Value>(attempt: () => Promise<Value>): Promise<Value> {
  for (const waitMs of waitsMs) {
    try {
      return await attempt()
    } catch (error) {
      if (!isSystemError(error) || !passing.has(nameOfError(error))) throw error
      await sleep(waitMs)
    }
  }
  return attempt()
}

/** Node throws some errors and emits others later, when the process may have no pipes. */
function spawnOnce(
  args: readonly string[],
  { env, ownSession, ourErrors = false }: ProcessOptions,
): Promise<ChildProcessWithoutNullStreams> {
  return new Promise((resolve, reject) => {
    const stdio: StdioOptions = ['pipe', 'pipe', 'pipe', ...(ourErrors ? [process.stderr.fd] : [])]
    const options = { env, stdio, detached: ownSession }
    const child = spawn(process.execPath, args, options) as ChildProcessWithoutNullStreams
    child.once('spawn', () => resolve(child))
    child.on('error', reject) // Stays registered: a child that cannot be killed emits an error too.
  })
}

/**
 * For a process that ended before it had answered. Such an end says nothing about a file.
 * @param name shown to an operator instead of the command line
 * @param timeoutMs how long it had for its answer
 */
export function failureOfEnd(
  name: string,
  { how, code, signal, stderr }: ProcessEnd,
  timeoutMs: number,
  cause: unknown,
): Failure {
  const lines = stderr
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  const said = (lines.find((line) => /\b(?:error|failed|unavailable)\b/i.test(line)) ?? lines[0] ?? '').slice(0, 200)
  const [what, hint] =
    how === 'killed-timeout'
      ? [`did not answer within ${Math.round(timeoutMs / 1000)} s`, overloaded]
      : how === 'killed-memory'
        ? ['took more memory than it may', 'raise check.memory']
        : signal === 'SIGKILL'
          ? (wordsOfKiller(lines) ?? ['was killed from outside (SIGKILL)', killed])
          : [`ended too early (${signal ?? `exit code ${code}`})${said === '' ? '' : `: ${said}`}`, limited]
  return new Failure('READ_FAILED', `the process ${name} ${what}`, { hint, cause, concerns: 'machine' })
}

/** If a process of ours has killed it, that has said why and what is next, in its name. */
function wordsOfKiller(lines: readonly string[]): readonly [what: string, hint: string] | null {
  const [, why] = lines.map((line) => /^holdfast: (.+?)\.?$/.exec(line)).find((found) => found !== null) ?? []
  const [, next = killed] = lines.map((line) => /^next: (.+?)\.?$/.exec(line)).find((found) => found !== null) ?? []
  return why === undefined ? null : [`has ended: ${why}`, next]
}

const overloaded =
  'this machine is overloaded, a limit on threads is reached (`ulimit -u`, TasksMax= of a systemd ' +
  'unit, pids.max of the container), or the process was stopped: check the load and the memory, and run again later'
const killed =
  'the kernel\u2019s memory killer may have taken it (`dmesg` tells): free memory, or raise the limit ' +
  '(MemoryMax= of a systemd unit, that of the container)'
const limited =
  'a limit on processes, threads, files or memory may be reached: check `ulimit -a`, TasksMax= and ' +
  'MemoryMax= of a systemd unit, and the limits of the container'
