/**
 * Finds the processes that listen on a unix socket, by /proc/net/unix and the descriptors of the processes that we may
 * inspect.
 */
import { readdir, readFile, readlink, realpath } from 'node:fs/promises'
import { goneOrHidden } from '../locks/open-descriptors.ts'

/**
 * @param until aborts when the search must end; null: it ends by itself
 * @returns pids with a descriptor on a socket bound to `path`; empty when none can be seen
 * @throws an error of the system that says nothing about one process, such as one for want of a descriptor
 */
export async function pidsListeningOn(path: string, until: AbortSignal | null): Promise<ReadonlySet<number>> {
  const inodes = await inodesBoundTo(path)
  const pids = new Set<number>()
  if (inodes.size === 0) return pids
  for (const name of await readdir('/proc')) {
    if (until?.aborted) break
    if (/^\d+$/.test(name) && (await hasSocket(`/proc/${name}/fd`, inodes))) pids.add(Number(name))
  }
  return pids
}

/** Lines of /proc/net/unix: Num RefCount Protocol Flags Type St Inode Path. */
async function inodesBoundTo(path: string): Promise<ReadonlySet<string>> {
  const names = new Set([path, await realpath(path).catch(() => path)])
  const inodes = new Set<string>()
  for (const line of (await readFile('/proc/net/unix', 'utf8').catch(orWhereHidden(''))).split('\n')) {
    const found = /^\S+ \S+ \S+ \S+ \S+ \S+ +(\d+) (.*)$/.exec(line)
    if (found?.[1] !== undefined && names.has(found[2] ?? '')) inodes.add(`socket:[${found[1]}]`)
  }
  return inodes
}

async function hasSocket(folder: string, inodes: ReadonlySet<string>): Promise<boolean> {
  for (const descriptor of await readdir(folder).catch(orWhereHidden<string[]>([]))) {
    const target = await readlink(`${folder}/${descriptor}`).catch(orWhereHidden(''))
    if (inodes.has(target)) return true
  }
  return false
}

/** `value` for what is gone by now, or hidden from our user. */
const orWhereHidden =
  <Value>(value: Value) =>
  (error: unknown): Value => {
    if (goneOrHidden(error) === null) throw error
    return value
  }
