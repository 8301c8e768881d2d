/** A process is identified by its pid and its start time. The pid alone may belong to another process by now. */
import { readdirSync, readFileSync } from 'node:fs'

/**
 * Ticks since the start of the machine, as the kernel prints them (field 22 of /proc/PID/stat); null if there is no
 * such process.
 */
export function startTimeOf(pid: number): string | null {
  return readStat(pid)?.[19] ?? null
}

/** True if the process that started at `startTime` still runs. A zombie does not: it holds nothing any more. */
export function isAlive(pid: number, startTime: string): boolean {
  const fields = readStat(pid)
  return fields !== null && fields[19] === startTime && fields[0] !== 'Z' && fields[0] !== 'X'
}

/** True if a signal stopped the process (SIGSTOP, a debugger): it does nothing until it is told to go on. */
export function isStopped(pid: number, startTime: string): boolean {
  const fields = readStat(pid)
  return fields !== null && fields[19] === startTime && (fields[0] === 'T' || fields[0] === 't')
}

/** Age of the process with this start time, in ms. Linux gives such times in hundredths of a second since its start. */
export function ageMsOf(startTime: string): number {
  const [sinceBoot = '0'] = readFileSync('/proc/uptime', 'latin1').split(' ')
  return Number(sinceBoot) * 1000 - Number(startTime) * 10
}

/**
 * Pids of the processes that began a session and were started with `NAME=value` in their environment, as far as we may
 * see.
 */
export function sessionLeadersWith(name: string, value: string): readonly number[] {
  const wanted = `${name}=${value}`
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && readStat(pid)?.[3] === String(pid) && environmentOf(pid).includes(wanted))
}

function environmentOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (isGone(error) || code === 'EACCES' || code === 'EPERM') return []
    throw error
  }
}

/** True for a thread of the kernel, which has no files of its own. */
export function isKernelThread(pid: number): boolean {
  const flagKernelThread = 0x00200000
  return (Number(readStat(pid)?.[6] ?? 0) & flagKernelThread) !== 0
}

/**
 * The folder of /proc that shows the files and the memory of a process. If its first thread has ended before the
 * others, it is that of another thread. null if the process has neither files nor memory.
 */
export function folderOf(pid: number): string | null {
  const fields = readStat(pid)
  if (fields === null || isKernelThread(pid)) return null
  if (fields[0] !== 'Z' && fields[0] !== 'X') return `/proc/${pid}`
  const thread = threadsOf(pid).find((thread) => thread !== String(pid))
  return thread === undefined ? null : `/proc/${pid}/task/${thread}`
}

function threadsOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
  } catch (error) {
    if (isGone(error)) return []
    throw error
  }
}

/** The fields from the third on. The second, the command, is in brackets and may contain spaces and brackets. */
function readStat(pid: number): readonly string[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return text
      .slice(text.lastIndexOf(')') + 2)
      .trimEnd()
      .split(' ')
  } catch (error) {
    if (isGone(error)) return null
    throw error
  }
}

/** For a process that ends meanwhile: its folder is gone, or answers ESRCH. */
function isGone(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOENT' || code === 'ESRCH'
}
