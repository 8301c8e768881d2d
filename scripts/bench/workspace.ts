/** The temporary folder of a measurement. Files and mounts in it are removed when the measurement ends. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Workspace {
  readonly folder: string
  /** Aborts on SIGINT, SIGTERM and SIGHUP, and after one and a half times `seconds`. */
  readonly signal: AbortSignal
  /** False once `seconds` are over: nothing new is begun then. */
  readonly hasTime: boolean
  /** Shows progress. */
  report(line: string): void
}

export interface WorkspaceOptions {
  /** Where the folder is made; null: in TMPDIR. */
  readonly parent: string | null
  /** Nothing new is begun after this time. After one and a half times as long, what still runs is aborted. */
  readonly seconds: number
  readonly report: (line: string) => void
}

const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

/** @returns what `work` returns, or the exit code of the signal that interrupted it */
export async function withWorkspace(
  options: WorkspaceOptions,
  work: (workspace: Workspace) => Promise<number>,
): Promise<number> {
  const controller = new AbortController()
  let interruptedBy: keyof typeof exitCodes | null = null
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      interruptedBy ??= signal
      controller.abort(new Error(`interrupted by ${signal}`))
    })
  }
  const folder = mkdtempSync(join(options.parent ?? tmpdir(), 'holdfast-bench-'))
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  process.once('exit', remove) // Also after a defect, which must not leave gigabytes.
  const startedAt = performance.now()
  const limit = setTimeout(
    () => controller.abort(new Error(`it took longer than ${options.seconds * 1.5} s`)),
    options.seconds * 1500,
  )
  try {
    return await work({
      folder,
      signal: controller.signal,
      report: options.report,
      get hasTime() {
        return performance.now() - startedAt < options.seconds * 1000
      },
    })
  } catch (error) {
    if (interruptedBy === null) throw error
    return exitCodes[interruptedBy]
  } finally {
    clearTimeout(limit)
    remove()
  }
}

export interface XfsMount extends Disposable {
  readonly folder: string
}

/** @returns why no xfs can be mounted here; null if it can */
export function whyNoXfs(): string | null {
  if (process.getuid?.() !== 0) return 'mounting needs root'
  return ['/usr/sbin/mkfs.xfs', '/sbin/mkfs.xfs'].some((path) => existsSync(path))
    ? null
    : 'there is no mkfs.xfs (package xfsprogs)'
}

/** An xfs with reflinks in a sparse file of the workspace. @throws if it cannot be made or mounted */
export function mountXfs(workspace: Workspace, name: string, bytes: number): XfsMount {
  const image = join(workspace.folder, `${name}.img`)
  const folder = join(workspace.folder, name)
  mkdirSync(folder)
  writeFileSync(image, '')
  execFileSync('truncate', ['-s', String(Math.max(bytes, 400_000_000)), image])
  execFileSync('mkfs.xfs', ['-q', '-m', 'reflink=1', image], {
    env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
  })
  execFileSync('mount', ['-o', 'loop', image, folder])
  const unmount = (): void => {
    // Lazily, so that a program with an open file cannot prevent the removal of the folder.
    execFileSync('umount', ['-l', folder], { stdio: 'ignore' })
    rmSync(image, { force: true })
  }
  process.once('exit', unmount)
  return {
    folder,
    [Symbol.dispose]: () => {
      process.removeListener('exit', unmount)
      unmount()
    },
  }
}
