/** Agents and coordinators of the demo: long-running processes of holdfast, each with a log in its folder. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { sleep } from '../../../src/host/clock.ts'

const launcher = resolve(import.meta.dirname, '../../../bin/holdfast.js')

export interface LongRunningProgram extends AsyncDisposable {
  readonly pid: number
  /** Ends it as an operator does: with SIGTERM, and with SIGKILL if it does not end. */
  stop(): Promise<void>
  /** As a machine does that runs out of memory. */
  kill(): Promise<void>
}

const endMsMax = 60_000

export function startHoldfast(words: readonly string[], log: string): LongRunningProgram {
  const output = openSync(log, 'a')
  // Detached, so that Ctrl-C reaches the demo alone, which ends its children in order.
  const child = spawn(process.execPath, [launcher, ...words], { stdio: ['ignore', output, output], detached: true })
  closeSync(output)
  const ended = once(child, 'exit')
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null
  const kill = async (): Promise<void> => {
    if (!hasEnded()) child.kill('SIGKILL')
    await ended
  }
  const stop = async (): Promise<void> => {
    if (hasEnded()) return
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), endMsMax)
    await ended
    clearTimeout(timer)
  }
  return { pid: child.pid ?? 0, stop, kill, [Symbol.asyncDispose]: stop }
}

/** Waits until `look` gives something. @throws {Error} after `ms`: what was waited for, and the ends of all logs */
export async function waitUntil<Value>(
  what: string,
  look: () => Promise<Value | null> | Value | null,
  { ms, everyMs, logs, signal }: { ms: number; everyMs: number; logs: readonly string[]; signal: AbortSignal },
): Promise<Value> {
  for (const endsAt = performance.now() + ms; performance.now() < endsAt; await sleep(everyMs)) {
    signal.throwIfAborted()
    const found = await look()
    if (found !== null) return found
  }
  const ends = logs.map((log) => `${log}:\n${readFileSync(log, 'utf8').split('\n').slice(-20).join('\n')}`)
  throw new Error([`waited ${ms / 1000} s in vain: ${what}`, ...ends].join('\n'))
}

/** Pids of the processes that a process has started, and of those that these have started. */
export function startedPids(pid: number): readonly number[] {
  const parents = readdirSync('/proc').flatMap((name) =>
    /^\d+$/.test(name) ? [[Number(name), parentOf(name)] as const] : [],
  )
  const found = [pid]
  for (const one of found) found.push(...parents.flatMap(([child, parent]) => (parent === one ? [child] : [])))
  return found.slice(1)
}

/** null if the process has ended. */
function parentOf(pid: string): number | null {
  try {
    return Number(/^\d+ \(.*\) \S (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1])
  } catch {
    return null
  }
}

export const logOf = (folder: string, name: string): string => join(folder, `${name}.log`)
