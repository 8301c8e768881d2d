/** Folders whose files come and go. `init` does not name such files: a tenant that is gone makes every sweep fail. */
import type { OpenDatabase } from '../../hold/live/open-databases.ts'

const temporaryFolders = ['/tmp', '/var/tmp', '/dev/shm'] as const

export interface DatabasesByLifetime {
  readonly lasting: readonly OpenDatabase[]
  readonly temporary: readonly OpenDatabase[]
}

export function splitByLifetime(databases: readonly OpenDatabase[]): DatabasesByLifetime {
  const isTemporary = ({ path }: OpenDatabase): boolean =>
    temporaryFolders.some((folder) => path.startsWith(`${folder}/`))
  return { lasting: databases.filter((database) => !isTemporary(database)), temporary: databases.filter(isTemporary) }
}
