/**
 * `node exchange-folders.ts NEW OLD`: NEW takes the place of OLD in one step of the kernel, and OLD that of NEW.
 * At no moment is there no OLD. Where there was none, NEW is renamed.
 */
import { renameSync } from 'node:fs'
import koffi from 'koffi'

const [from, to] = process.argv.slice(2)
if (from === undefined || to === undefined) throw new Error('name two folders')

try {
  renameSync(from, to)
} catch {
  // OLD is there and not empty.
  if (!exchange(from, to)) replaceInTwoSteps(from, to)
}

/** @returns false where it cannot be done @see renameat2(2) */
function exchange(one: string, other: string): boolean {
  if (process.platform !== 'linux') return false
  const relativeToCwd = -100
  const RENAME_EXCHANGE = 2
  const renameat2 = koffi.load(null).func('int renameat2(int, str, int, str, unsigned int)')
  return renameat2(relativeToCwd, one, relativeToCwd, other, RENAME_EXCHANGE) === 0
}

/** Not Linux, or a file system that cannot: for a moment there is no OLD. */
function replaceInTwoSteps(from: string, to: string): void {
  const aside = `${from}.old`
  renameSync(to, aside)
  renameSync(from, to)
  renameSync(aside, from)
}
