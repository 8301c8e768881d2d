/** What one run of a service leaves to the next: which alarms were sent, and which did not arrive. Pure. */

import { printableInUtf8 } from '../../text/printable.ts'
import { fileKey, type StandingAlarm } from '../condition.ts'
import type { OutgoingAlarm } from '../fold.ts'

/** An alarm that some sinks did not take yet. */
export interface PendingAlarm extends OutgoingAlarm {
  /** Keys of these sinks. */
  readonly sinks: readonly string[]
  /** When it was first tried, in ms since 1970. */
  readonly since: number
}

export interface AlarmState {
  readonly standing: readonly StandingAlarm[]
  /** The oldest first. */
  readonly pending: readonly PendingAlarm[]
}

export const noState: AlarmState = { standing: [], pending: [] }

const standingMax = 100
const pendingMax = 50
/** After a week an alarm is no news. */
const pendingMsMax = 7 * 24 * 3_600_000

/** Leaves out what is too old or too much, so that the file stays small. A sink that was taken away gets nothing. */
export function boundedState({ standing, pending }: AlarmState, sinks: ReadonlySet<string>, now: number): AlarmState {
  const waiting = pending
    .map((one) => ({ ...one, sinks: one.sinks.filter((sink) => sinks.has(sink)) }))
    .filter((one) => one.sinks.length > 0 && Math.abs(now - one.since) < pendingMsMax)
  return { standing: standing.slice(-standingMax), pending: waiting.slice(-pendingMax) }
}

/**
 * False for an alarm whose condition has ended: it would come after its recovery, and be taken for news. A recovery
 * has no condition.
 */
export function stillHolds({ alarm, subject }: PendingAlarm, standing: readonly StandingAlarm[]): boolean {
  if (subject === undefined) return true
  const one = standing.find((known) => known.severity === alarm.severity && known.subject === subject)
  if (one === undefined) return false
  if (one.keys.length === 0 || alarm.tenants.length < alarm.tenantsTotal) return true
  const names = new Set(one.keys.map(({ tenant, path }) => printableInUtf8(tenant ?? path)))
  return alarm.tenants.some(({ tenant, path }) => names.has(tenant ?? path))
}

/**
 * True for a recovery of a file to which the same has happened again. A sink would take it for the end of the alarm
 * that stands now. So it waits until that is over too.
 */
export function isContradicted(
  { alarm, severities, subject }: PendingAlarm,
  standing: readonly StandingAlarm[],
): boolean {
  if (subject !== undefined) return false
  const again = standing.filter(({ severity }) => severities.includes(severity)).flatMap(({ keys }) => keys)
  const files = new Set(
    again.map((key) => fileKey({ tenant: printableOrNull(key.tenant), path: printableInUtf8(key.path) })),
  )
  return alarm.tenants.some((one) => files.has(fileKey(one)))
}

const printableOrNull = (tenant: string | null): string | null => (tenant === null ? null : printableInUtf8(tenant))

/** Without the sink that took the alarm. */
export const recordDelivery = ({ standing, pending }: AlarmState, id: string, sink: string): AlarmState => ({
  standing,
  pending: pending
    .map((one) => (one.alarm.id === id ? { ...one, sinks: one.sinks.filter((key) => key !== sink) } : one))
    .filter(({ sinks }) => sinks.length > 0),
})
