/** The processes that the demo starts and ends, and the files that it reads and writes. */
import { spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'

const root = resolve(import.meta.dirname, '../..')

export interface DemoProgram extends AsyncDisposable {
  readonly pid: number
  /** The JSON line that it printed when it was ready. */
  readonly ready: Readonly<Record<string, unknown>>
  /** Ends it with SIGTERM, after 5 s with SIGKILL. */
  stop(): Promise<void>
}

/** Starts a program of this folder. Resolves when it has reported that it is ready. */
export async function startDemoProgram(program: string, args: readonly string[]): Promise<DemoProgram> {
  // Detached, so that Ctrl-C reaches the demo alone, which ends its children in order.
  const child = spawn(process.execPath, [join(import.meta.dirname, program), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  })
  const ended = once(child, 'exit')
  const line = once(createInterface({ input: child.stdout }), 'line') as Promise<[string]>
  const [ready] = await Promise.race([
    line,
    ended.then(() => {
      throw new Error(`${program} ended before it was ready`)
    }),
  ])
  const stop = (): Promise<void> => end(child, ended)
  return { pid: child.pid ?? 0, ready: JSON.parse(ready) as Record<string, unknown>, stop, [Symbol.asyncDispose]: stop }
}

async function end(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 5_000)
  await ended
  clearTimeout(timer)
}

export interface HoldfastRun {
  readonly code: number
  readonly stdout: string
}

/** Runs holdfast as a user does. If `signal` aborts, holdfast resumes its tenants and then ends. */
export async function runHoldfast(
  args: readonly string[],
  show: 'shown' | 'returned',
  signal: AbortSignal,
): Promise<HoldfastRun> {
  const child = spawn(process.execPath, [join(root, 'bin/holdfast.js'), ...args], {
    stdio: ['ignore', show === 'shown' ? 'inherit' : 'pipe', show === 'shown' ? 'inherit' : 'ignore'],
    detached: true,
  })
  const onAbort = (): void => void child.kill('SIGINT')
  signal.addEventListener('abort', onAbort)
  let stdout = ''
  child.stdout?.on('data', (chunk) => {
    stdout += String(chunk)
  })
  try {
    const [code] = (await once(child, 'close')) as [number | null]
    return { code: code ?? -1, stdout }
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/**
 * SHA-256 and mtime of each tenant's main file. Never call it in the process of the service: closing the file drops the
 * POSIX locks of that process.
 */
export function fingerprints(dir: string, tenants: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    tenants.map((id) => {
      const file = join(dir, `${id}.db`)
      return [
        id,
        `${createHash('sha256').update(readFileSync(file)).digest('hex')} ${statSync(file, { bigint: true }).mtimeNs}`,
      ]
    }),
  )
}

/** Where the accounts of the demo are, in its folder. */
export const accountsIn = (folder: string): string => join(folder, 'accounts')

export function writeConfiguration(folder: string, socket: string, tenants: string): string {
  const file = join(folder, 'holdfast.yaml')
  writeFileSync(
    file,
    [
      `service: { name: notes, admin: ${JSON.stringify(`unix:${socket}`)} }`,
      `tenants: { roots: [${JSON.stringify(tenants)}] }`,
      // A slow disk must not end the demo: the notes service waits for as long as that.
      'hold: { maxPause: 1m }',
      `snapshots: { dir: ${JSON.stringify(join(folder, 'snapshots'))} }`,
      `ledger: { dir: ${JSON.stringify(join(folder, 'ledger'))} }`,
      `backups: { dir: ${JSON.stringify(join(folder, 'backups'))} }`,
      `accounts: { dir: ${JSON.stringify(accountsIn(folder))} }`,
      '',
    ].join('\n'),
  )
  return file
}
