/** The temporary folder of a measurement, and everything that must be gone when it ends: files, mounts, processes. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Workplace {
  readonly folder: string
  /** Aborts on Ctrl-C, on SIGTERM, and when the measurement takes far longer than it may. */
  readonly signal: AbortSignal
  /** False when the time for beginning something new is over. */
  readonly hasTime: boolean
  /** Progress, for a person. */
  tell(line: string): void
}

export interface WorkplaceOptions {
  readonly parent: string | null
  /** Nothing new is begun after this; half as long again, and what runs is aborted. */
  readonly seconds: number
  readonly tell: (line: string) => void
}

const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

/** @returns what `work` returns, or the exit code of the signal that interrupted it */
export async function withWorkplace(
  options: WorkplaceOptions,
  work: (workplace: Workplace) => Promise<number>,
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
  process.once('exit', remove) // A second net: a defect of ours must not leave gigabytes behind.
  const startedAt = performance.now()
  const limit = setTimeout(
    () => controller.abort(new Error(`it took longer than ${options.seconds * 1.5} s`)),
    options.seconds * 1500,
  )
  try {
    return await work({
      folder,
      signal: controller.signal,
      tell: options.tell,
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

export interface Mount extends Disposable {
  readonly folder: string
}

/** Why no xfs with shared blocks can be mounted here; null when it can. */
export function whyNoXfs(): string | null {
  if (process.getuid?.() !== 0) return 'mounting needs root'
  return ['/usr/sbin/mkfs.xfs', '/sbin/mkfs.xfs'].some((path) => existsSync(path))
    ? null
    : 'there is no mkfs.xfs (package xfsprogs)'
}

/** A file system in a sparse file of the workplace, with reflinks. @throws when it cannot be made or mounted */
export function mountXfs(workplace: Workplace, name: string, bytes: number): Mount {
  const image = join(workplace.folder, `${name}.img`)
  const folder = join(workplace.folder, name)
  mkdirSync(folder)
  writeFileSync(image, '')
  execFileSync('truncate', ['-s', String(Math.max(bytes, 400_000_000)), image])
  execFileSync('mkfs.xfs', ['-q', '-m', 'reflink=1', image], {
    env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
  })
  execFileSync('mount', ['-o', 'loop', image, folder])
  const unmount = (): void => {
    // Lazily: whoever still has a file open must not keep the folder from being removed.
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
