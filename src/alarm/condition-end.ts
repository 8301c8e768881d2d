/** Whether the condition of an alarm that was sent has ended. Nothing ends only because it is not seen. Pure. */

import { fileKey, ledgerLostSubject, type ClearedConditions, type StandingAlarm, type TenantKey } from './condition.ts'

/** For an alarm that names no tenants. @param now ms since 1970 */
export function isSubjectCleared(
  { severity, subject, since }: StandingAlarm,
  cleared: ClearedConditions,
  now: number,
): boolean {
  switch (severity) {
    case 'STALE':
      return cleared.standingSubjects !== null && !cleared.standingSubjects.has(subject)
    case 'HARM SUSPECTED':
      return cleared.allSound
    case 'PAUSED':
      return cleared.held?.size === 0 && (cleared.allServing || knowsOf(since, cleared, now))
    case 'DAMAGED':
    case 'INCONCLUSIVE':
      return subject === ledgerLostSubject ? cleared.allServing : subject === cleared.endedRun
  }
}

/** For one of the files or tenants of an alarm. */
export function isKeyCleared(
  { severity, since }: StandingAlarm,
  key: TenantKey,
  cleared: ClearedConditions,
  now: number,
): boolean {
  switch (severity) {
    case 'HARM SUSPECTED':
      return cleared.allSound
    case 'PAUSED':
      return isServing(key, since, cleared, now)
    case 'DAMAGED':
    case 'INCONCLUSIVE':
      return cleared.sound.has(fileKey(key))
    case 'STALE':
      return false
  }
}

/**
 * A ledger that replaces a lost one has no open holds, and that shows nothing: the end of a hold must be in it. An open
 * hold outweighs what an earlier one came to.
 */
function isServing({ tenant }: TenantKey, since: number, cleared: ClearedConditions, now: number): boolean {
  if (tenant === null || cleared.held?.has(tenant)) return false
  if (cleared.resumed.has(tenant)) return true
  const endedAt = cleared.served.get(tenant)
  return endedAt !== undefined && (endedAt >= since || knowsOf(since, cleared, now))
}

/** True if the record has what happened at this time. A time in the future is of a clock that was wrong. */
const knowsOf = (at: number, { recordedSince }: ClearedConditions, now: number): boolean =>
  recordedSince !== null && (recordedSince <= at || at > now)

/** No recovery: it was inconclusive and is damaged now, which another alarm says. */
export const isKnownOtherwise = (
  { severity }: StandingAlarm,
  key: TenantKey,
  { damaged }: ClearedConditions,
): boolean => severity === 'INCONCLUSIVE' && damaged.has(fileKey(key))

/** The service no longer lists the file, so nothing will check it. */
export const isUnlisted = ({ severity }: StandingAlarm, key: TenantKey, { unlisted }: ClearedConditions): boolean =>
  (severity === 'INCONCLUSIVE' || severity === 'DAMAGED') && unlisted.has(fileKey(key))
