/**
 * The slots that an agent left taken when it ended. It may give them back as soon as it starts again, without waiting
 * for a coordinator. It must surely have no hold under way, and its service must know no lease of holdfast.
 */
import { randomUUID } from 'node:crypto'
import { statSync } from 'node:fs'
import { bootId } from '../../host/boot.ts'
import type { Service } from '../../service/port.ts'
import type { FleetDatabase } from '../database/database.ts'
import { freeSlots } from './pause-slots.ts'
import type { TakenSlot } from './slot-permit.ts'

/**
 * Names the agent of one ledger while this machine runs. Two machines that were cloned, or two containers that share a
 * host name, have different ones, so that neither gives back what the other uses.
 */
export function agentIdentity(ledgerFolder: string): string {
  const { dev, ino } = statSync(ledgerFolder, { bigint: true })
  return `${bootId() || randomUUID()} ${dev}:${ino}`
}

/** To be read before this agent takes its first slot. @throws {Failure} FLEET_* */
export async function slotsLeftBy(database: FleetDatabase, identity: string): Promise<readonly TakenSlot[]> {
  const { rows } = await database.query<TakenSlot>(
    `select e.id as epoch, e.generation, jsonb_agg(
        jsonb_build_object('scope', p.scope, 'slot', p.slot, 'fence', p.fence::text)) as rows
      from holdfast.pause_slot p, holdfast.pause_epoch e where p.agent = $1 group by e.id, e.generation`,
    [identity],
  )
  return rows
}

/**
 * Gives them back. To be called when the run lock of the service is ours and the holds that earlier runs left open were
 * ended. Then no process of an earlier agent can pause a tenant any more, frozen or not.
 * @returns how many rows were freed; 0 if the service still knows a lease of holdfast
 * @throws {Failure} FLEET_*; what the service answers
 */
export async function releaseLeft(
  database: FleetDatabase,
  left: readonly TakenSlot[],
  service: Pick<Service, 'via' | 'leases'>,
  signal: AbortSignal,
): Promise<number> {
  if (left.length === 0 || !(await knowsNoLease(service, signal))) return 0
  let freed = 0
  for (const slot of left) freed += await freeSlots(database, slot)
  return freed
}

/** Hooks have no leases: what the ledger calls open was resumed. */
async function knowsNoLease(service: Pick<Service, 'via' | 'leases'>, signal: AbortSignal): Promise<boolean> {
  if (service.via !== 'admin-api') return true
  return !(await service.leases(signal)).some(({ holder }) => holder.startsWith('holdfast-'))
}
