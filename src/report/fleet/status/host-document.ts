/** One host with the files of its services, as documents have it. */

import type { HostFacts, FleetShare } from '../../../fleet/status/fleet-facts.ts'
import { countsOf } from './fleet-view.ts'

export const describeHost = (host: HostFacts, shares: readonly FleetShare[], isMissed: boolean): object => ({
  ...host,
  isMissed,
  counts: countsOf({ shares }),
  stale: shares.reduce((sum, { stale }) => sum + stale, 0),
  services: shares.map(({ host: _host, ...share }) => share),
})
