/**
 * Debian's strace fails a call in place of the kernel. It follows the threads of a process, and its children as far as
 * their `execve`; each process is traced by a strace of its own, so that one program of a command meets the fault.
 */
import { spawnSync } from 'node:child_process'

/** null where processes can be traced. */
export function whyNotTraced(): string | null {
  if (process.platform !== 'linux') return 'system calls are failed by strace, which needs Linux'
  const attempt = ['-D', '-f', '-qq', '-o', '/dev/null', 'true']
  const { error, status, stderr } = spawnSync('strace', attempt, { encoding: 'utf8' })
  if (error) return 'strace is not installed, and could not be'
  return status === 0 ? null : `strace may trace no process here: ${stderr.trim().split('\n').at(-1)}`
}

export interface Fault {
  readonly call: string
  /** `error=ENOSPC`, or `signal=SIGKILL` for a process that dies there. */
  readonly what: string
  readonly when: number
  /** Calls on this path alone are counted. */
  readonly path: string | null
}

/** `output` gets what was traced. Without a fault all calls are written down, and none fails. */
export function straceArguments(output: string, fault: Fault | null): readonly string[] {
  const always = ['-f', '-b', 'execve', '-qqq', '-y', '-s', '0', '-o', output]
  if (fault === null) return always
  const { call, what, when, path } = fault
  const only = path === null ? [] : ['-P', path]
  return [...always, '-e', `trace=${call}`, '-e', `inject=${call}:${what}:when=${when}`, ...only]
}
