/** A service by its settings, however it is reached. What reaching it takes is loaded only then: the libraries for it take longer than checking a small file. */
import type { ServiceSettings } from '../config/settings.ts'
import type { Service } from './port.ts'

export type { ServiceSettings } from '../config/settings.ts'

/** Reads the token and the certificates, but asks the service nothing yet. @throws {Failure} NO_PERMISSION, CONFIG_INVALID */
export async function connectService(settings: ServiceSettings): Promise<Service> {
  switch (settings.kind) {
    case 'admin-api':
      return (await import('./client/admin-client.ts')).AdminClient.open(settings)
    case 'hooks':
      return new (await import('./hooks/hook-service.ts')).HookService(settings)
  }
}
