/**
 * Finds the programs that have a file open, mapped or locked, as far as /proc shows them. It never opens the files, so
 * it breaks no lease.
 *
 * /proc does not show descriptors on their way through a unix socket, or registered with io_uring. Only the kernel
 * lease knows of those (hold/README.md F3). So this table names holders, and never proves that there are none.
 */
import { addAbortListener } from 'node:events'
import { readdirSync, readlinkSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { Holder, HolderMode } from '../../model/result/evidence.ts'
import { count } from '../../text/count.ts'
import { EventLoopYielder } from '../clock.ts'
import { deviceName, parseMountInfo } from '../files/file-system.ts'
import { requireLinux } from '../platform.ts'
import { folderOf } from '../process/processes.ts'
import { commandOf } from '../programs/command-line.ts'
import type { FileIdentity } from './file-identity.ts'
import { mappingsOf } from './mappings.ts'
import { descriptorsOf, goneOrHidden } from './open-descriptors.ts'
import { parseLocks, type KernelLock } from './proc-locks.ts'

export interface HolderSearch {
  readonly exceptPids: readonly number[]
  /** Aborts when the search must end: a machine may have a hundred thousand processes, and one that is stuck. */
  readonly until: AbortSignal
}

export interface FoundHolders {
  readonly holders: readonly Holder[]
  /** What could not be inspected, in plain words. */
  readonly unseen: readonly string[]
  /** False if there was no time for all processes, or if one of them did not show its mappings. */
  readonly isWhole: boolean
}

/**
 * One entry for each process and file, by pid. It may miss a process that starts or ends meanwhile.
 * @throws {Failure} PLATFORM_UNSUPPORTED
 */
export async function findHolders(
  files: readonly FileIdentity[],
  { exceptPids, until }: HolderSearch,
): Promise<FoundHolders> {
  requireLinux()
  const sightings = new Sightings(exceptPids)
  const { promise: over, resolve: end } = Promise.withResolvers<'no time'>()
  using _ending = addAbortListener(until, () => end('no time')) // Perhaps it has aborted.
  const yielder = new EventLoopYielder()
  const hidden: number[] = []
  const waiting: number[] = []
  for (const pid of pids()) {
    if (until.aborted) break
    const folder = exceptPids.includes(pid) ? null : folderOf(pid)
    if (folder === null) continue
    const descriptors = await descriptorsOf(folder, files, yielder, until)
    const mappings = await mappingsOf(folder, files, 'all', over)
    if (mappings === 'stuck') waiting.push(pid)
    if (descriptors === 'hidden' || mappings === 'hidden') hidden.push(pid)
    if (descriptors !== 'hidden') for (const { file, modes } of descriptors) sightings.add(pid, file, modes)
    if (typeof mappings === 'object') for (const file of mappings) sightings.add(pid, file, ['mapped'])
    await yielder.take()
  }
  const locks = await readLocks()
  if (locks !== 'hidden') addLocks(locks, files, sightings)
  const unseen = await unseenProcesses(hidden, locks === 'hidden')
  if (waiting.length > 0) unseen.unshift(`the mapped files of ${processes(waiting, 'that do not show them now')}`)
  if (until.aborted) unseen.unshift('processes that there was no time to examine')
  const isWhole = waiting.length === 0 && !until.aborted
  return { holders: await sightings.holders(over), unseen, isWhole }
}

/**
 * Those of the holders that may change the file by a store into memory. SQLite never maps a database so. Neither a lock
 * nor the times of the file show such a store into a page that is changed already (hold/pinned/README.md L10). One that
 * does not show its mappings now may have such a one.
 * @param holders from `findHolders`
 */
export async function findStoringMappings(file: FileIdentity, holders: readonly Holder[]): Promise<readonly Holder[]> {
  const storing: Holder[] = []
  for (const holder of holders.filter(({ path }) => path === file.path)) {
    const folder = folderOf(holder.pid)
    const mapped = folder === null ? [] : await mappingsOf(folder, [file], 'storing')
    if (mapped === 'stuck' || (mapped !== 'hidden' && mapped.length > 0)) storing.push(holder)
  }
  return storing
}

/**
 * The owners of kernel leases on one of the files, by the kernel's list of locks alone. It inspects no process. Empty
 * if the list is hidden.
 */
export async function findLeaseHolders(files: readonly FileIdentity[]): Promise<readonly Holder[]> {
  requireLinux()
  const sightings = new Sightings([])
  const locks = await readLocks()
  if (locks !== 'hidden')
    addLocks(
      locks.filter(({ kind }) => kind === 'lease'),
      files,
      sightings,
    )
  return sightings.holders()
}

function pids(): readonly number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid > 0)
}

/**
 * /proc/locks shows locks and leases also for processes whose descriptors we may not see, unless a sandbox masks it.
 */
async function readLocks(): Promise<readonly KernelLock[] | 'hidden'> {
  try {
    return parseLocks(await readFile('/proc/locks', 'latin1'))
  } catch (error) {
    if (goneOrHidden(error) === null) throw error
    return 'hidden'
  }
}

function addLocks(locks: readonly KernelLock[], files: readonly FileIdentity[], sightings: Sightings): void {
  for (const lock of locks) {
    const file = files.find(({ dev, ino }) => ino === lock.ino && deviceName(dev) === lock.device)
    if (file && lock.pid !== null) sightings.add(lock.pid, file, [lock.kind])
  }
}

const processes = (pids: readonly number[], which: string): string =>
  `${count(pids.length, 'process', 'processes')} ${which} (${pidsOf(pids)})`

const pidsNamedMax = 3
function pidsOf(all: readonly number[]): string {
  const more = all.length - pidsNamedMax
  return (
    `${all.length === 1 ? 'pid' : 'pids'} ` +
    `${all.slice(0, pidsNamedMax).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
  )
}

/**
 * What cannot be seen of other processes, in plain words.
 * @param hidden pids of processes that could not be inspected
 */
export async function unseenProcesses(hidden: readonly number[], locksHidden: boolean): Promise<string[]> {
  const sentences: string[] = []
  if (locksHidden) sentences.push('the list of locks of the kernel (/proc/locks)')
  if (hidden.length > 0)
    sentences.push(`the open files of ${processes(hidden, 'of other users or with more rights than ours')}`)
  const mounts = parseMountInfo(await readFile('/proc/self/mountinfo', 'latin1'))
  const hides = mounts.some(
    ({ type, superOptions }) => type === 'proc' && superOptions.some((option) => /^hidepid=(?!0|off)/.test(option)),
  )
  if (hides && process.geteuid?.() !== 0)
    sentences.push('processes of other users, which this system hides from us (hidepid)')
  if (!isFirstPidNamespace()) sentences.push('processes outside this container (another pid namespace)')
  return sentences
}

function isFirstPidNamespace(): boolean {
  // PROC_PID_INIT_INO of the kernel: the number of the namespace that sees every process.
  return readlinkSync('/proc/self/ns/pid') === 'pid:[4026531836]'
}

class Sightings {
  readonly #except: ReadonlySet<number>
  readonly #seen = new Map<string, { readonly pid: number; readonly path: string; readonly modes: Set<HolderMode> }>()

  constructor(exceptPids: readonly number[]) {
    this.#except = new Set(exceptPids)
  }

  add(pid: number, file: FileIdentity, modes: readonly HolderMode[]): void {
    if (this.#except.has(pid)) return
    const key = `${pid} ${file.path}`
    const entry = this.#seen.get(key) ?? { pid, path: file.path, modes: new Set() }
    for (const mode of modes) entry.modes.add(mode)
    this.#seen.set(key, entry)
  }

  /** @param over resolves when there is no time left for the names of programs; left out: there is */
  async holders(over?: Promise<unknown>): Promise<readonly Holder[]> {
    const order: readonly HolderMode[] = ['read', 'write', 'mapped', 'lock', 'lease']
    const named = [...this.#seen.values()].map(async ({ pid, path, modes }) => ({
      pid,
      command: await commandOf(pid, over),
      modes: order.filter((mode) => modes.has(mode)),
      path,
    }))
    return (await Promise.all(named)).toSorted((one, other) => one.pid - other.pid)
  }
}
