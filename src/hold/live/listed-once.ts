/** Two names of one file in the list of a tenant. */
import { statSync } from 'node:fs'
import { onDisk } from '../../host/files/file-name.ts'
import type { LivePath } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import { failureOfPath } from './path-failure.ts'

/**
 * Refuses a second name of a file before the file is opened again: the two would meet each other's locks and leases.
 * The file has its result under the first name.
 * @param seen the first name of each file of the tenant, by device and inode
 * @throws {Failure} MANY_NAMES; as `resolveLivePath` if the file is gone
 */
export function requireListedOnce(named: string, path: LivePath, seen: Map<string, string>): void {
  const file = identityOf(path)
  const first = seen.get(file)
  if (first !== undefined)
    throw new Failure(
      'MANY_NAMES',
      `${named} is the same file as ${first}, which the service lists for this tenant too`,
    )
  seen.set(file, named)
}

function identityOf(path: LivePath): string {
  try {
    const { dev, ino } = statSync(onDisk(path), { bigint: true })
    return `${dev} ${ino}`
  } catch (error) {
    throw failureOfPath(path, error)
  }
}
