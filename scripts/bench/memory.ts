/** The memory and processor time of a program and its children, read from /proc. */
import { readdirSync, readFileSync } from 'node:fs'

/** In bytes. `pss` counts a page that several processes share once; `rss` counts it for each of them. */
export interface MemoryUse {
  readonly processes: number
  readonly rss: number
  readonly pss: number
  /** Open descriptors of the program itself. */
  readonly descriptors: number
}

/** Of a program and its children, also those with sessions of their own. @returns null if the program has ended */
export function memoryUseOf(pid: number): MemoryUse | null {
  const descriptors = countDescriptors(pid)
  if (descriptors === null) return null
  const sizes = descendantsOf(pid).flatMap((one) => sizeOf(one) ?? [])
  return {
    processes: sizes.length,
    descriptors,
    rss: sizes.reduce((sum, { rss }) => sum + rss, 0),
    pss: sizes.reduce((sum, { pss }) => sum + pss, 0),
  }
}

/** Of each process of a program, named by the file that it runs. */
export function memoryUseOfEach(
  pid: number,
): readonly { readonly command: string; readonly rss: number; readonly pss: number }[] {
  return descendantsOf(pid).flatMap((one) => {
    const size = sizeOf(one)
    const command =
      textOf(`/proc/${one}/cmdline`)
        ?.split('\0')
        .find((word) => /\.c?[jt]s$/.test(word)) ?? ''
    return size === null ? [] : [{ command: command.split('/').at(-1) ?? '', ...size }]
  })
}

/** Milliseconds of processor time of all ended children and their children, as the kernel counts it. */
export function processorMsOfEnded(): number {
  const ticksMs = 10 // USER_HZ is 100 on every Linux.
  const fields = statOf('self')
  return (Number(fields?.[13] ?? 0) + Number(fields?.[14] ?? 0)) * ticksMs
}

/** Fields of /proc/PID/stat from the state on. The command before it is in brackets, and may contain brackets. */
function statOf(pid: number | string): readonly string[] | null {
  const stat = textOf(`/proc/${pid}/stat`)
  return stat === null ? null : stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

function descendantsOf(pid: number): readonly number[] {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const parent = statOf(name)?.[1]
    if (parent !== undefined) parents.set(Number(name), Number(parent))
  }
  const found = [pid]
  for (let at = 0; at < found.length; at++)
    for (const [child, parent] of parents) if (parent === found[at]) found.push(child)
  return found
}

function sizeOf(pid: number): { readonly rss: number; readonly pss: number } | null {
  const rollup = textOf(`/proc/${pid}/smaps_rollup`)
  const kilobytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(rollup ?? '')?.[1] ?? 0)
  return rollup === null || rollup === '' ? null : { rss: kilobytes('Rss') * 1024, pss: kilobytes('Pss') * 1024 }
}

function countDescriptors(pid: number): number | null {
  try {
    return readdirSync(`/proc/${pid}/fd`).length
  } catch {
    return null
  }
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return null // The process has just ended.
  }
}
