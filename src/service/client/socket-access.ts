import { stat } from 'node:fs/promises'
import type { AdminSettings } from '../../config/settings.ts'
import { systemFailure } from '../../host/failures/system-failure.ts'

/** True if any user may connect to the unix socket. @throws {Failure} NOT_FOUND, NO_PERMISSION */
export async function isOpenToAll({ endpoint }: Pick<AdminSettings, 'endpoint'>): Promise<boolean> {
  if (endpoint.kind !== 'unix') return false
  try {
    return ((await stat(endpoint.socket)).mode & 0o002) !== 0
  } catch (error) {
    throw systemFailure(error, { doing: 'check the socket', path: endpoint.socket })
  }
}
