/** Real processes for tests: started, awaited, found among /proc, and ended by their own pid. */
import { spawn, type ChildProcess } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export interface EndedProgram {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface Program extends AsyncDisposable {
  readonly pid: number
  readonly ended: Promise<EndedProgram>
  /** The first whole line of stdout, parsed as JSON. Rejects if the program ends before it. */
  readonly ready: Promise<Readonly<Record<string, unknown>>>
  kill(signal: NodeJS.Signals): void
  /** What it has printed until now. */
  stdout(): string
  stderr(): string
}

export const repository = fileURLToPath(new URL('../../', import.meta.url))

/**
 * Starts a Node program of this repository, named by its path from the top. Disposing ends it.
 * @param enter words before the command, which becomes the program: such as `nsenter` with a network
 */
export function startNode(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  enter: readonly string[] = [],
): Program {
  const [command = '', ...words] = [...enter, process.execPath, `${repository}${program}`, ...args]
  return startProgram(command, words, env)
}

/** Starts any program. Disposing ends it: SIGTERM, and SIGKILL after two seconds. */
export function startProgram(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Program {
  const child = spawn(command, args, {
    cwd: repository,
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  child.stdin.on('error', () => {})
  const output = collect(child)
  const ended = new Promise<EndedProgram>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal, ...output() }))
  })
  const ready = new Promise<Readonly<Record<string, unknown>>>((resolve, reject) => {
    child.stdout.on('data', () => {
      const line = output().stdout.split('\n', 2)
      if (line.length === 2 && line[0]?.endsWith('}')) resolve(JSON.parse(line[0]) as Readonly<Record<string, unknown>>)
    })
    ended.then(
      ({ code, signal, stderr }) =>
        reject(new Error(`${command} ${args.join(' ')} ended (${code ?? signal}) before it was ready: ${stderr}`)),
      reject,
    )
  })
  ready.catch(() => {}) // Not every test waits for it.
  if (child.pid === undefined) throw new Error(`${command} could not be started`)
  return {
    pid: child.pid,
    ended,
    ready,
    kill: (signal) => void child.kill(signal),
    stdout: () => output().stdout,
    stderr: () => output().stderr,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGTERM')
      child.kill('SIGCONT')
      const timer = setTimeout(() => child.kill('SIGKILL'), 2_000)
      await ended
      clearTimeout(timer)
    },
  }
}

function collect(child: ChildProcess): () => { readonly stdout: string; readonly stderr: string } {
  const text = { stdout: '', stderr: '' }
  child.stdout?.on('data', (bytes: Buffer) => {
    text.stdout += bytes.toString('utf8')
  })
  child.stderr?.on('data', (bytes: Buffer) => {
    text.stderr += bytes.toString('utf8')
  })
  return () => ({ ...text })
}

/**
 * Waits until `condition` returns something other than null, undefined and false. Tries often in the beginning and then
 * less often, because a long wait must not slow other tests.
 * @throws after `deadlineMs`
 */
export async function eventually<Seen>(
  what: string,
  condition: () => Seen | Promise<Seen>,
  deadlineMs = 240_000,
): Promise<NonNullable<Seen>> {
  const began = performance.now()
  const end = began + deadlineMs
  let last: unknown = null
  for (;;) {
    try {
      const seen = await condition()
      if (seen !== null && seen !== undefined && seen !== false) return seen
    } catch (error) {
      last = error
    }
    if (performance.now() > end) throw new Error(`did not happen within ${deadlineMs} ms: ${what}`, { cause: last })
    await new Promise((resolve) => setTimeout(resolve, performance.now() - began < 200 ? 5 : 25))
  }
}

/** All descendants of a process, with their command lines. */
export function descendantsOf(pid: number): readonly { readonly pid: number; readonly command: string }[] {
  const byParent = new Map<number, number[]>()
  for (const entry of readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0)) {
    const parent = parentOf(entry)
    if (parent !== null) byParent.set(parent, [...(byParent.get(parent) ?? []), entry])
  }
  const below: number[] = []
  for (let waiting = [pid]; waiting.length > 0;) {
    waiting = waiting.flatMap((one) => byParent.get(one) ?? [])
    below.push(...waiting)
  }
  return below.map((pid) => ({ pid, command: commandOfPid(pid) }))
}

/** Pids of all descendants that run a program, such as `guardian-child`. */
export const descendantsRunning = (pid: number, program: string): readonly number[] =>
  descendantsOf(pid).flatMap((one) => (one.command.includes(program) ? [one.pid] : []))

/** False for a zombie. */
export const isRunning = (pid: number): boolean => stateOf(pid) !== null && !'ZX'.includes(stateOf(pid) ?? 'X')

export const commandOfPid = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
  } catch {
    return ''
  }
}

const parentOf = (pid: number): number | null => Number(fieldsOf(pid)?.[1] ?? Number.NaN) || null
const stateOf = (pid: number): string | null => fieldsOf(pid)?.[0] ?? null

function fieldsOf(pid: number): readonly string[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return null
  }
}
