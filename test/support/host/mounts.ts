import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface MountedFolder extends Disposable {
  readonly path: string
}

export type MountKind = 'tmpfs' | 'xfs' | 'ext4' | 'overlay'

/** Why such a file system cannot be mounted here, or null when it can. Tried, not guessed. */
export function whyNoMount(kind: MountKind): string | null {
  try {
    mount(kind, 0)[Symbol.dispose]()
    return null
  } catch (error) {
    return `${kind} cannot be mounted here: ${String(error).split('\n')[0]}`
  }
}

/** For a title: why a test is skipped, nothing when it is not. */
export const whySkipped = (why: string | null): string => (why === null ? '' : ` (skipped: ${why})`)

/** @param bytes size of a tmpfs; other kinds have a size of their own */
export function mount(kind: MountKind, bytes: number): MountedFolder {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-mount-'))
  const path = join(folder, 'mounted')
  mkdirSync(path)
  try {
    mountOn(kind, folder, path, bytes)
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
  return {
    path,
    [Symbol.dispose]: () => {
      run('umount', ['-l', path]) // Lazily: a test that failed may have left a process in there, which ends after this.
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function mountOn(kind: MountKind, folder: string, path: string, bytes: number): void {
  switch (kind) {
    case 'tmpfs':
      return run('mount', ['-t', 'tmpfs', '-o', `size=${bytes || 65536},mode=700`, 'none', path])
    case 'overlay': {
      for (const part of ['lower', 'upper', 'work']) mkdirSync(join(folder, part))
      writeFileSync(join(folder, 'lower', 'below.bin'), 'from below')
      return run('mount', [
        '-t',
        'overlay',
        '-o',
        `lowerdir=${folder}/lower,upperdir=${folder}/upper,workdir=${folder}/work`,
        'none',
        path,
      ])
    }
    case 'xfs':
    case 'ext4': {
      const image = join(folder, 'image')
      writeFileSync(image, '')
      truncateSync(image, 400 << 20)
      run(`mkfs.${kind}`, kind === 'xfs' ? ['-q', '-m', 'reflink=1', image] : ['-q', image])
      return run('mount', ['-o', 'loop', image, path])
    }
  }
}

/** Gives a file or a folder a second name, at which there must be one of the same kind. */
export function bind(from: string, to: string): Disposable {
  run('mount', ['--bind', from, to])
  return { [Symbol.dispose]: () => run('umount', ['-l', to]) }
}

/** Why nothing can be bound here, or null when it can. */
export function whyNoBind(): string | null {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-mount-'))
  try {
    bind(folder, folder)[Symbol.dispose]()
    return null
  } catch (error) {
    return `nothing can be mounted here: ${String(error).split('\n')[0]}`
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function run(program: string, given: readonly string[]): void {
  execFileSync(program, given, { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' })
}
