/**
 * strace makes a call fail instead of the kernel. It follows the threads of a process, and its children until their
 * `execve`. Each process has a strace of its own, so that only one program of a command meets the fault.
 */
import { spawnSync } from 'node:child_process'

/** @returns why no process can be traced here; null if that works */
export function whyNotTraced(): string | null {
  if (process.platform !== 'linux') return 'strace needs Linux'
  const attempt = ['-D', '-f', '-qq', '-o', '/dev/null', 'true']
  const { error, status, stderr } = spawnSync('strace', attempt, { encoding: 'utf8' })
  if (error) return 'strace is not installed and could not be installed'
  return status === 0 ? null : `strace may trace no process here: ${stderr.trim().split('\n').at(-1)}`
}

export interface Fault {
  readonly call: string
  /** `error=ENOSPC`, or `signal=SIGKILL` for a process that dies there. */
  readonly what: string
  readonly when: number
  /** Only calls on this path count; null: all. */
  readonly path: string | null
}

/** @param fault null: no call fails @param output the file that receives the traced calls */
export function straceArguments(output: string, fault: Fault | null): readonly string[] {
  const always = ['-f', '-b', 'execve', '-qqq', '-y', '-s', '0', '-o', output]
  if (fault === null) return always
  const { call, what, when, path } = fault
  const only = path === null ? [] : ['-P', path]
  return [...always, '-e', `trace=${call}`, '-e', `inject=${call}:${what}:when=${when}`, ...only]
}
