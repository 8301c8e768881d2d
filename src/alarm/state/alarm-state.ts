/** What one run of a service leaves to the next: which alarms were sent, and which did not arrive. Pure. */

import type { Outgoing, Standing } from '../fold.ts'

/** An alarm that some sinks did not take yet. */
export interface Pending extends Outgoing {
  /** Keys of these sinks. */
  readonly sinks: readonly string[]
  /** When it was first tried, in ms since 1970. */
  readonly since: number
}

export interface AlarmState {
  readonly standing: readonly Standing[]
  /** The oldest first. */
  readonly pending: readonly Pending[]
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

/** Without the sink that took the alarm. */
export const delivered = ({ standing, pending }: AlarmState, id: string, sink: string): AlarmState => ({
  standing,
  pending: pending
    .map((one) => (one.alarm.id === id ? { ...one, sinks: one.sinks.filter((key) => key !== sink) } : one))
    .filter(({ sinks }) => sinks.length > 0),
})
