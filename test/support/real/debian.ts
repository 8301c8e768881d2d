/**
 * Programs of Debian that would start a daemon if they were installed. Before the tests they are only unpacked, with
 * the libraries that this machine lacks (scripts/vitest/before-tests.ts).
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { repository } from '../processes.ts'

/** Where a path of the package, such as `usr/sbin/pdns_server`, was unpacked or is installed; or null. */
export function pathInDebian(group: string, path: string): string | null {
  const unpacked = join(repository, 'node_modules/.debian', group, path)
  return [unpacked, `/${path}`].find((candidate) => existsSync(candidate)) ?? null
}

/** Where the libraries of unpacked packages are. */
export const debianLibraries = (group: string): string =>
  join(repository, 'node_modules/.debian', group, 'usr/lib/x86_64-linux-gnu')
