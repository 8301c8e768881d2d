/** A service by its settings, however it is reached. */
import type { ServiceSettings } from '../config/settings.ts'
import { AdminClient } from './client/admin-client.ts'
import { HookService } from './hooks/hook-service.ts'
import type { Service } from './port.ts'

export type { ServiceSettings } from '../config/settings.ts'

/** Reads the token and the certificates, but asks the service nothing yet. @throws {Failure} NO_PERMISSION, CONFIG_INVALID */
export async function connectService(settings: ServiceSettings): Promise<Service> {
  switch (settings.kind) {
    case 'admin-api':
      return AdminClient.open(settings)
    case 'hooks':
      return new HookService(settings)
  }
}
