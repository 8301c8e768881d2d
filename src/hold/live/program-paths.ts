/**
 * Where files of other programs are. A program in a container sees other mounts: its path may lead to another file
 * here, or nowhere. A file system where a call may hang, such as a dead NFS, is told by the lists of mounts alone.
 */
import { lstatSync, readlinkSync, statSync, type BigIntStats } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { onDisk } from '../../host/files/file-name.ts'
import { mountOf, parseMountInfo, type Mount } from '../../host/files/file-system.ts'
import type { ProgramFile } from '../../host/programs/open-files.ts'
import { isTrusted } from '../preflight.ts'

/** `why`: it cannot be used here. */
type LocalPath = { readonly path: string } | { readonly why: string }

export class ProgramPaths {
  readonly #own: readonly Mount[]
  /** By the name of the namespace. */
  readonly #others = new Map<string, readonly Mount[]>()

  private constructor(own: readonly Mount[]) {
    this.#own = own
  }

  static async open(): Promise<ProgramPaths> {
    return new ProgramPaths(await mountsOf('self'))
  }

  async find({ pid, path, link }: ProgramFile): Promise<LocalPath> {
    const theirs = await this.#mountsOf(pid)
    // What it sees there counts: under the same path, another file system may be mounted here.
    const untrusted = whyUntrusted(path, theirs)
    if (untrusted !== null) return { why: untrusted }
    const file = statOf(link, 'follow')
    if (file === null) return { why: notHere }
    const isFile = (here: string): boolean => {
      if (whyUntrusted(here, this.#own) !== null) return false
      const found = statOf(here, 'stay')
      return found?.ino === file.ino && found.dev === file.dev
    }
    if (isFile(path)) return { path }
    const found = this.#alternatives(path, theirs).find(isFile)
    return found === undefined ? { why: notHere } : { path: found }
  }

  async #mountsOf(pid: number): Promise<readonly Mount[]> {
    const name = namespaceOf(String(pid))
    if (name === namespaceOf('self')) return this.#own
    const known = this.#others.get(name) ?? (await mountsOf(String(pid)))
    this.#others.set(name, known)
    return known
  }

  /** Paths under which the same part of a file system is mounted here. */
  #alternatives(seen: string, theirs: readonly Mount[]): readonly string[] {
    if (theirs.length === 0) return []
    const { device, root, mountPoint } = mountOf(seen, '', theirs)
    const inFileSystem = join(root, relative(mountPoint, seen))
    return this.#own
      .filter((mount) => mount.device === device && isBelow(inFileSystem, mount.root))
      .map((mount) => join(mount.mountPoint, relative(mount.root, inFileSystem)))
  }
}

const notHere = 'its program runs in a container, or behind another mount: find its path here, and name that'

/** null for nothing, and for what may not be seen. @param link whether a link in the path's end is followed */
export function statOf(path: string, link: 'follow' | 'stay'): BigIntStats | null {
  try {
    const exact = { bigint: true, throwIfNoEntry: false } as const
    return (link === 'follow' ? statSync(onDisk(path), exact) : lstatSync(onDisk(path), exact)) ?? null
  } catch {
    return null
  }
}

/** null if calls and locks work there. */
function whyUntrusted(path: string, mounts: readonly Mount[]): string | null {
  if (mounts.length === 0) return notHere
  const mount = mountOf(path, '', mounts)
  return isTrusted(mount, []) ? null : `it lies on ${mount.type}, where locks are not known to work`
}

/** Empty if it may not be read, or if the process is gone. */
const mountsOf = (process: string): Promise<readonly Mount[]> =>
  readFile(`/proc/${process}/mountinfo`, 'utf8').then(parseMountInfo, () => [])

function namespaceOf(process: string): string {
  try {
    return readlinkSync(`/proc/${process}/ns/mnt`)
  } catch {
    return `unknown, of ${process}`
  }
}

const isBelow = (path: string, folder: string): boolean =>
  folder === '/' || path === folder || path.startsWith(`${folder}/`)
