/** Services that share a ledger, and what their runs write to it. */

import type { LedgerReader } from '../../../src/ledger/ledger.ts'
import { openLedger } from '../../../src/ledger/open-ledger.ts'
import { newRunId } from '../../../src/ledger/run-lock/run-id.ts'
import type { Event } from '../../../src/model/event.ts'
import type { ServiceWay } from '../../../src/model/service-way.ts'
import { checked } from './sample-events.ts'

export const notes: ServiceWay = {
  service: 'notes',
  via: 'hooks',
  address: '["notesctl","pause"]',
  config: '/etc/notes.yaml',
}
/** The same service, reached in another way. */
export const notesByApi: ServiceWay = { ...notes, via: 'admin-api', address: '/run/notes.sock' }
export const mail: ServiceWay = { ...notes, service: 'mail', config: '/etc/mail.yaml' }

export const damagedCheck = (tenant: string, change = {}): Event =>
  checked(tenant, { verdict: 'damaged', damage: 'index', ...change })
export const started: Event = { kind: 'run-started', mode: 'sweep', version: '0.1.0', argv: [] }
export const finished: Event = { kind: 'run-finished', exitCode: 0, selected: 1, covered: 1, whole: true }

/** One run of the service. */
export async function write(dir: string, way: ServiceWay | null, ...events: readonly Event[]): Promise<void> {
  await using ledger = await openLedger(dir, newRunId(), way)
  for (const event of events) await ledger.append(event)
}

/** Holders of open holds: those of this service, and those of others with whose they are. */
export const holders = async (reading: LedgerReader): Promise<unknown> => [
  (await reading.openHolds()).map(({ holder }) => holder),
  (await reading.otherHolds()).map(({ holder, whose }) => `${holder}: ${whose}`),
]
