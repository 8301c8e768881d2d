/**
 * Finds the files that the patterns of `service.files` name. Folders are read, and no file is opened. The search has
 * limits in number, depth and time; links to folders are not followed, so it has no loops.
 */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { startDeadline } from '../../host/clock.ts'
import { isNotFound, isSystemError, systemFailure } from '../../host/failures/system-failure.ts'
import { nameOf, onDisk } from '../../host/files/file-name.ts'
import { realPathOf } from '../../host/files/path-kind.ts'
import { isChangeName, isCompanionName } from '../../model/companion-names.ts'
import { Failure } from '../../model/failure.ts'
import type { PathPattern } from '../../text/path-pattern.ts'
import type { UnsearchedPath } from '../port.ts'

export interface FileSearch {
  readonly patterns: readonly PathPattern[]
  /** Links that lead out of these folders are not followed. */
  readonly roots: readonly string[]
  /** Folders that are not searched. */
  readonly own: readonly string[]
}

export interface MatchedFiles {
  /** Absolute paths below the fixed parts, each once, in their order. */
  readonly files: readonly string[]
  readonly unsearched: readonly UnsearchedPath[]
  /** Links that a pattern meets and that lead to folders, out of the roots, or nowhere. They are not followed. */
  readonly links: readonly string[]
}

export interface SearchLimits {
  readonly files: number
  /** Names in all folders that are read. */
  readonly entries: number
  /** Folders below the fixed part of a pattern. */
  readonly depth: number
  readonly ms: number
}

const usualLimits: SearchLimits = { files: 1_000_000, entries: 5_000_000, depth: 64, ms: 120_000 }

/** @throws {Failure} REGISTRY_STALE, which names the limit that is exceeded; the reason of the signal */
export async function findFiles(
  search: FileSearch,
  signal: AbortSignal,
  limits: SearchLimits = usualLimits,
): Promise<MatchedFiles> {
  using deadline = startDeadline(limits.ms)
  const found = new Finder(search, limits, AbortSignal.any([signal, deadline.signal]))
  try {
    return await found.all()
  } catch (error) {
    if (!deadline.signal.aborted || signal.aborted || error instanceof Failure) throw error
    const at = found.searching === null ? '' : `; it was in ${found.searching}`
    throw tooMuch(`the search took more than ${limits.ms / 1000} s${at}`)
  }
}

const tooMuch = (why: string): Failure =>
  new Failure('REGISTRY_STALE', `service.files: ${why}`, {
    hint: 'name the folders more closely in service.files, so that fewer files and folders are searched',
  })

/** A folder that is to be read, and the steps of its pattern that its entries may match. */
interface WaitingFolder {
  readonly path: string
  readonly pattern: PathPattern
  readonly steps: ReadonlySet<number>
  readonly depth: number
}

class Finder {
  /** The folder that is being read. */
  searching: string | null = null
  readonly #search: FileSearch
  readonly #limits: SearchLimits
  readonly #over: AbortSignal
  readonly #files = new Set<string>()
  /** Links to files that match, with the file that each leads to. */
  readonly #linked = new Map<string, string>()
  readonly #links = new Set<string>()
  readonly #unsearched = new Map<string, UnsearchedPath>()
  readonly #waiting: WaitingFolder[] = []
  #own: ReadonlySet<string> = new Set()
  #roots: readonly string[] = []
  #fixed: readonly string[] = []
  #entries = 0

  constructor(search: FileSearch, limits: SearchLimits, over: AbortSignal) {
    this.#search = search
    this.#limits = limits
    this.#over = over
  }

  async all(): Promise<MatchedFiles> {
    const { patterns, roots, own } = this.#search
    this.#own = new Set([...own, ...(await this.#realPaths(own))])
    this.#roots = await this.#realPaths(roots)
    this.#fixed = await this.#realPaths(patterns.map(({ fixed }) => fixed))
    for (const pattern of patterns) {
      this.#waiting.push({ path: pattern.fixed, pattern, steps: withSkipped(pattern, new Set([0])), depth: 0 })
      for (let folder = this.#waiting.pop(); folder !== undefined; folder = this.#waiting.pop()) {
        this.#over.throwIfAborted()
        await this.#searchFolder(folder)
      }
    }
    await this.#dropSecondNames()
    await this.#addLinkedFiles()
    return {
      files: [...this.#files].toSorted(),
      unsearched: [...this.#unsearched.values()],
      links: [...this.#links].toSorted(),
    }
  }

  async #searchFolder(folder: WaitingFolder): Promise<void> {
    if (this.#own.has(folder.path)) return
    this.searching = folder.path
    const entries = await this.#entriesOf(folder)
    this.#entries += entries.length
    if (this.#entries > this.#limits.entries)
      throw tooMuch(`there are more than ${this.#limits.entries} names in the folders that it searches`)
    for (const entry of entries) {
      const name = nameOf(entry.name)
      if (isChangeName(name)) continue
      const path = join(folder.path, name)
      const next = stepsAfter(folder, name)
      const isMatch = next.has(folder.pattern.steps.length) && !isCompanionName(name)
      if (entry.isDirectory()) this.#enter(folder, path, next)
      else if (entry.isSymbolicLink()) await this.#considerLink(folder, path, next, isMatch)
      else if (isMatch && entry.isFile()) this.#addFile(path)
    }
  }

  /** @returns none if the folder is gone or cannot be read; the latter is reported */
  async #entriesOf({ path, depth }: WaitingFolder): Promise<Awaited<ReturnType<typeof readFolder>>> {
    try {
      return await this.#orOver(readFolder(path))
    } catch (error) {
      if (!isSystemError(error)) throw error
      // A folder that was deleted meanwhile holds nothing; the first one of a pattern may be on a mount that is away.
      if (depth > 0 && isNotFound(error)) return []
      this.#leaveOut(path, systemFailure(error, { doing: 'search the folder', path, tenant: 'untouched' }))
      return []
    }
  }

  #enter({ pattern, depth }: WaitingFolder, path: string, next: ReadonlySet<number>): void {
    const steps = new Set([...next].filter((step) => step < pattern.steps.length))
    if (steps.size === 0) return
    if (depth >= this.#limits.depth) {
      const why = `${path} was not searched: it lies more than ${this.#limits.depth} folders below ${pattern.fixed}`
      this.#leaveOut(path, new Failure('REGISTRY_STALE', why, { hint: 'name the folder in service.files' }))
    } else this.#waiting.push({ path, pattern, steps: withSkipped(pattern, steps), depth: depth + 1 })
  }

  async #considerLink(
    { pattern }: WaitingFolder,
    path: string,
    next: ReadonlySet<number>,
    isMatch: boolean,
  ): Promise<void> {
    const mayEnter = [...next].some((step) => step < pattern.steps.length)
    if (!isMatch && !mayEnter) return
    const real = await this.#orOver(realPathOf(path))
    const found = real === null ? null : await this.#orOver(stat(onDisk(real)).catch(() => null))
    if (found?.isDirectory() === true) {
      // What it leads to is found by its own name, if it lies below a fixed part.
      if (mayEnter && !isBelow(real, this.#fixed)) this.#links.add(path)
    } else if (isMatch && real !== null && found?.isFile() === true && isBelow(real, this.#roots)) {
      this.#linked.set(path, real)
    } else if (isMatch) this.#links.add(path)
  }

  /** A folder that two patterns name, one of them by a link, holds no file twice. The name without a link stays. */
  async #dropSecondNames(): Promise<void> {
    if (this.#search.patterns.every(({ fixed }) => this.#fixed.includes(fixed))) return
    const names = new Map<string, string>()
    for (const path of [...this.#files].toSorted()) {
      const real = (await this.#orOver(realPathOf(path))) ?? path
      const earlier = names.get(real)
      if (earlier !== undefined) this.#files.delete(path === real ? earlier : path)
      if (earlier === undefined || path === real) names.set(real, path)
    }
  }

  /** A link to a file that is found by its own name is no second tenant. */
  async #addLinkedFiles(): Promise<void> {
    if (this.#linked.size === 0) return
    const own = new Set(await this.#realPaths([...this.#files]))
    for (const [path, real] of [...this.#linked].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      if (own.has(real)) continue
      own.add(real)
      this.#addFile(path)
    }
  }

  #addFile(path: string): void {
    this.#files.add(path)
    if (this.#files.size > this.#limits.files) throw tooMuch(`it finds more than ${this.#limits.files} files`)
  }

  #leaveOut(path: string, failure: Failure): void {
    this.#unsearched.set(path, { path, failure })
  }

  /** Those that exist. */
  async #realPaths(paths: readonly string[]): Promise<readonly string[]> {
    const real: string[] = []
    for (const path of paths) {
      const found = await this.#orOver(realPathOf(path))
      if (found !== null) real.push(found)
    }
    return real
  }

  /** A call on a dead mount never ends: it is left alone when the time is over. */
  #orOver<Value>(work: Promise<Value>): Promise<Value> {
    const { promise: over, reject } = Promise.withResolvers<never>()
    const end = (): void => reject(this.#over.reason as Error)
    if (this.#over.aborted) end()
    this.#over.addEventListener('abort', end, { once: true })
    return Promise.race([work, over]).finally(() => this.#over.removeEventListener('abort', end))
  }
}

const readFolder = (path: string) => readdir(onDisk(path), { withFileTypes: true, encoding: 'buffer' })

/** The steps that come next for what lies in the folder under this name; the number of steps: it matches wholly. */
function stepsAfter({ pattern, steps }: WaitingFolder, name: string): ReadonlySet<number> {
  const next = new Set<number>()
  for (const at of steps) {
    const step = pattern.steps[at]
    if (step === undefined) continue
    if (step.kind === 'any-folders') {
      next.add(at)
      if (at === pattern.steps.length - 1) next.add(at + 1)
    } else if (step.matches(name)) next.add(at + 1)
  }
  return next
}

/** `**` also stands for no folder. */
function withSkipped({ steps: all }: PathPattern, steps: ReadonlySet<number>): ReadonlySet<number> {
  const more = new Set<number>()
  for (const first of steps) {
    let at = first
    more.add(at)
    while (all[at]?.kind === 'any-folders' && at + 1 < all.length) more.add(++at)
  }
  return more
}

const isBelow = (real: string | null, folders: readonly string[]): boolean =>
  real !== null && folders.some((folder) => real === folder || folder === '/' || real.startsWith(`${folder}/`))
