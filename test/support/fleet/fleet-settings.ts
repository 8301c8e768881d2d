/** The section `fleet` of a test. */
import type { FleetSettings } from '../../../src/config/fleet/fleet-settings.ts'
import type { FleetUnderTest } from './each-database.ts'

export const fleetSettings = (
  fleet: Pick<FleetUnderTest, 'address'>,
  more: Partial<FleetSettings> = {},
): FleetSettings => ({
  database: fleet.address,
  passwordFile: null,
  caFile: null,
  host: 'test-host',
  domain: null,
  notify: true,
  windowMs: 2_000,
  expiryMs: 90_000,
  maxPaused: { fleet: 3, service: 2, domain: 2 },
  outbox: { maxBytes: 1_000_000_000 },
  schedule: null,
  replicas: [],
  ...more,
})
