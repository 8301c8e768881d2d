import type { ServiceWay } from '../model/service-way.ts'
import type { Settings } from './settings.ts'

/** How the ledger calls the service of this configuration. */
export function wayOf({ file, service }: Pick<Settings, 'file' | 'service'>): ServiceWay {
  const address = service.kind === 'hooks' ? JSON.stringify(service.quiesce) : service.endpoint.kind === 'unix' ? service.endpoint.socket : service.endpoint.url
  return { service: service.name, via: service.kind, address, config: file }
}
