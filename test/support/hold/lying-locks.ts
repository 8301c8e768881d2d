/** A library that grants every byte lock to a process that preloads it, like a mount whose server keeps no locks. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Why the library cannot be made; null if it can. Tests that need it show this in their titles. */
export const noCompiler: string | null = whyNoCompiler()

/** @returns the path of the library */
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
