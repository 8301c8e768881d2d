/** An alarm as sinks get it: the document `holdfast.alarm/1` (report/schemas/alarms/alarm.schema.json). */

import type { DamageClass } from '../model/result/finding.ts'
import type { Remedy, VerdictWord } from '../model/result/verdict.ts'

/**
 * Gravest first. `HARM SUSPECTED`: holdfast may be the cause, or locks do not hold. `PAUSED`: a tenant may be paused.
 * `STALE`: something that should have happened did not. `RECOVERED`: an earlier alarm no longer holds.
 */
export const severities = ['HARM SUSPECTED', 'PAUSED', 'DAMAGED', 'STALE', 'INCONCLUSIVE', 'RECOVERED'] as const
export type AlarmSeverity = (typeof severities)[number]

/** One file that an alarm is about. Text is printable. */
export interface AlarmTenant {
  readonly tenant: string | null
  readonly path: string
  /** null where the alarm is not about a check. */
  readonly verdict: VerdictWord | null
  readonly damage: DamageClass | null
  /** What will mend it; null if nothing is known to. */
  readonly remedy: Remedy | null
}

export interface Alarm {
  readonly schema: 'holdfast.alarm/1'
  /** 26 letters that sort by time. A sink that gets an alarm twice knows it by its id. */
  readonly id: string
  readonly severity: AlarmSeverity
  /** One line that begins with the severity. */
  readonly title: string
  readonly service: string
  readonly host: string
  /** The incident that the run belongs to; null without one. */
  readonly incident: string | null
  readonly run: string
  /** Since when it holds: RFC 3339. */
  readonly since: string
  /** The first `tenantsMax` of them; `tenantsTotal` counts all. */
  readonly tenants: readonly AlarmTenant[]
  readonly tenantsTotal: number
  /** The next command to type. */
  readonly command: string
  /** What happened, in sentences. */
  readonly text: string
  /** Present and true for an alarm of `alerts test`. */
  readonly test?: true
}

/** An alarm names no more files than this. */
export const tenantsMax = 50
