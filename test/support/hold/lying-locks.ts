/** A library that grants every byte lock to whoever preloads it, as a mount does whose server does not keep them. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Why there is none; null where there can be one. Tests that need it put it into their titles. */
export const noCompiler: string | null = whyNoCompiler()

/** @returns the library */
export function makeLyingLocks(folder: string): string {
  const library = join(folder, 'lying-locks.so')
  execFileSync('gcc', [
    '-shared',
    '-fPIC',
    '-o',
    library,
    fileURLToPath(new URL('../programs/lying-locks.c', import.meta.url)),
    '-ldl',
  ])
  return library
}

function whyNoCompiler(): string | null {
  try {
    execFileSync('gcc', ['--version'], { stdio: 'ignore' })
    return null
  } catch {
    return 'there is no gcc'
  }
}
