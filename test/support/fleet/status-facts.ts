/** Facts of a fleet as its database gives them: two hosts, all well. */
import type { FleetFile, HostFacts, FleetRun, FleetShare } from '../../../src/fleet/status/fleet-facts.ts'
import type { FleetView } from '../../../src/report/fleet/status/fleet-view.ts'
import { hour, now } from '../status.ts'

export const host = (name: string, more: Partial<HostFacts> = {}): HostFacts => ({
  name,
  domain: null,
  version: '0.1.0',
  startedAt: now - 50 * hour,
  seenAt: now - 1000,
  outboxRows: 0,
  outboxBytes: 0,
  clockSkewMs: 12,
  said: null,
  ...more,
})

export const share = (hostName: string, more: Partial<FleetShare> = {}): FleetShare => ({
  host: hostName,
  service: 'notes',
  counts: { sound: 10, damaged: 0, inconclusive: 0, failed: 0, never: 0 },
  stale: 0,
  oldestSoundAt: now - 3 * hour,
  ...more,
})

export const fleetFile = (tenant: string, more: Partial<FleetFile> = {}): FleetFile => ({
  host: 'h1',
  service: 'notes',
  tenant,
  path: `/srv/notes/${tenant}.db`,
  verdict: 'damaged',
  damage: 'index',
  failure: null,
  checkedAt: now - 2 * hour,
  soundAt: now - 26 * hour,
  run: '01KB0000000000000000000000',
  ...more,
})

export const fleetRun = (more: Partial<FleetRun> = {}): FleetRun => ({
  id: '01KB0000000000000000000000',
  kind: 'sweep',
  state: 'done',
  isWhole: true,
  begunAt: now - 3 * hour,
  endedAt: now - 2 * hour,
  total: 20,
  done: 20,
  sound: 20,
  damaged: 0,
  inconclusive: 0,
  failed: 0,
  said: null,
  ...more,
})

export const fleetView = (more: Partial<FleetView> = {}): FleetView => ({
  at: now,
  maxAgeMs: 26 * hour,
  expiryMs: 90_000,
  configNamed: null,
  hosts: [host('h1'), host('h2')],
  shares: [share('h1'), share('h2')],
  files: [],
  oldest: [],
  runs: [fleetRun()],
  slots: [
    { scope: 'fleet', slot: 1, holder: null, takenAt: null, expiryMs: 90_000 },
    { scope: 'fleet', slot: 2, holder: null, takenAt: null, expiryMs: 90_000 },
  ],
  breakers: [],
  isResting: false,
  coordinators: [{ host: 'h1', version: '0.1.0', startedAt: now - 50 * hour, seenAt: now - 1000 }],
  ...more,
})
