import type { ServiceWay } from '../model/service-way.ts'
import type { ServiceSettings, Settings } from './settings.ts'

/** The service of this configuration, as the ledger names it. */
export function wayOf({ file, service }: Pick<Settings, 'file' | 'service'>): ServiceWay {
  return { service: service.name, via: service.kind, address: addressOf(service, file), config: file }
}

function addressOf(service: ServiceSettings, file: string): string {
  if (service.kind === 'hooks') return JSON.stringify(service.quiesce)
  if (service.kind === 'files') return file
  return service.endpoint.kind === 'unix' ? service.endpoint.socket : service.endpoint.url
}
