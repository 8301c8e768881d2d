/** The row of this host: which machine it is, that it is still there, and how long its outbox has become. */

import { bootId } from '../../host/boot.ts'
import { Failure } from '../../model/failure.ts'
import { orFailure } from '../../model/or-failure.ts'
import { printableSentence } from '../../text/printable.ts'
import { conditionOf, noteCondition } from '../alarms/condition.ts'
import type { FleetDatabase } from '../database/database.ts'
import type { OutboxSize } from '../results/outbox.ts'

export interface ThisHost {
  readonly name: string
  readonly machine: string
  readonly domain: string | null
  readonly version: string
}

export interface HeartbeatFacts {
  readonly outbox: OutboxSize
  /** By how much the clock of this machine is ahead of that of the database, in ms. */
  readonly clockSkewMs: number
  /** Why this host does not work as it should, in one sentence; null if it does. */
  readonly said: string | null
}

interface ShownHost {
  readonly databaseAt: number
  readonly isNew: boolean
}

/** If a host was not seen for so long, another machine may take its name. In ms. */
const seenForMs = 90_000
const saidLetters = 1_000

/** @throws {Failure} FLEET_HOST_TAKEN if another machine has this name and was just seen; FLEET_* */
export async function registerHost(database: FleetDatabase, host: ThisHost): Promise<void> {
  const { name, machine, domain, version } = host
  const { rowCount } = await database.query(
    `insert into holdfast.host as known (name, machine_id, boot_id, domain, version, started_at, seen_at)
     values ($1, $2, $3, $4, $5, clock_timestamp(), clock_timestamp())
     on conflict (name) do update set machine_id = excluded.machine_id, boot_id = excluded.boot_id,
       domain = excluded.domain, version = excluded.version, started_at = excluded.started_at,
       seen_at = excluded.seen_at, said = null
     where known.machine_id = excluded.machine_id
       or known.seen_at < clock_timestamp() - make_interval(secs => $6::numeric / 1000)
     returning name`,
    [name, machine, bootId(), domain, version, seenForMs],
  )
  if (rowCount === 0) throw await hostTaken(database, host)
}

/**
 * Shows that this host is there.
 * @returns the clock of the database, in ms since 1970; and whether the host had to be registered again
 * @throws {Failure} FLEET_HOST_TAKEN if another machine has taken the name; FLEET_*
 */
export async function showHost(database: FleetDatabase, host: ThisHost, facts: HeartbeatFacts): Promise<ShownHost> {
  const { outbox, clockSkewMs, said } = facts
  const { rows } = await database.query<{ at: Date }>(
    `update holdfast.host set seen_at = clock_timestamp(), outbox_rows = $3, outbox_bytes = $4, clock_skew_ms = $5,
       said = $6
     where name = $1 and machine_id = $2 returning clock_timestamp() as at`,
    [host.name, host.machine, outbox.rows, outbox.bytes, Math.round(clockSkewMs), said?.slice(0, saidLetters) ?? null],
  )
  const [row] = rows
  if (row !== undefined) return { databaseAt: row.at.getTime(), isNew: false }
  // A person has removed the host, or the database was restored; or the row belongs to another machine.
  await registerHost(database, host)
  return { databaseAt: Date.now() - clockSkewMs, isNew: true }
}

/** The people of the fleet are told too, once a day: nobody may read what the agent of this machine says. */
async function hostTaken(database: FleetDatabase, { name, machine }: ThisHost): Promise<Failure> {
  const { rows } = await database.query<{ machine_id: string; seen_at: Date; day: string }>(
    'select machine_id, seen_at, current_date::text as day from holdfast.host where name = $1',
    [name],
  )
  const other = rows[0] === undefined ? 'another machine' : `the machine ${printableSentence(rows[0].machine_id)}`
  const seen = rows[0] === undefined ? '' : `, seen at ${rows[0].seen_at.toISOString()}`
  const why = `${other} is the host ${name} of the fleet${seen}; this one is ${machine}`
  const text = `Two machines have the name ${name}, and the tenants of one are not checked: ${why}.`
  const about = { severity: 'stale', host: name, text, command: 'holdfast fleet agents' } as const
  // The refusal counts, also if people cannot be told.
  await orFailure(noteCondition(database, conditionOf('host-taken', name, `${machine} ${rows[0]?.day ?? ''}`, about)))
  return new Failure('FLEET_HOST_TAKEN', why)
}
