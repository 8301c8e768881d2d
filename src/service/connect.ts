/**
 * Makes a service from its settings. The client is loaded only then, because its libraries take longer than a check of
 * a small file.
 */
import type { ServiceSettings } from '../config/settings.ts'
import type { Wire } from './client/wire.ts'
import type { CommandObserver, Service } from './port.ts'

export type { ServiceSettings } from '../config/settings.ts'

/**
 * Reads the token and the certificates, but asks the service nothing yet.
 * @param onCommand called for each command that pauses or resumes a tenant, if the service is reached by hooks
 * @throws {Failure} NO_PERMISSION, CONFIG_INVALID
 */
export async function connectService(
  settings: ServiceSettings,
  onCommand: CommandObserver = () => undefined,
): Promise<Service> {
  switch (settings.kind) {
    case 'admin-api':
      return (await import('./client/admin-client.ts')).AdminClient.open(settings)
    case 'hooks':
      return new (await import('./hooks/hook-service.ts')).HookService(settings, onCommand)
    case 'files':
      return new (await import('./files/file-service.ts')).FileService(settings)
  }
}

/**
 * The admin API call by call, for the doctor.
 * @param token `none`: every call is made without the token that is configured
 * @throws {Failure} NO_PERMISSION, CONFIG_INVALID
 */
export async function connectWire(
  settings: Extract<ServiceSettings, { kind: 'admin-api' }>,
  token: 'configured' | 'none',
): Promise<Wire> {
  return (await import('./client/wire.ts')).Wire.open(settings, token)
}
