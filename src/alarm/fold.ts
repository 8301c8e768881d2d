/**
 * Folds what a run has seen into what sinks were told before. The same alarm goes out again only after a day, or if it
 * has grown. A recovery goes out once. Pure.
 */

import { ageOf } from '../model/age.ts'
import { count } from '../text/count.ts'
import { printableInUtf8 } from '../text/printable.ts'
import { humanMs } from '../text/units.ts'
import { severities, tenantsMax, type Alarm, type AlarmSeverity } from './alarm.ts'
import { isKeyCleared, isKnownOtherwise, isSubjectCleared, isUnlisted } from './condition-end.ts'
import { fileKey, ledgerLostSubject, oneLoss, rememberedMax, takenBackSubject } from './condition.ts'
import type { ClearedConditions, Condition, StandingAlarm, StandingSeverity, TenantKey } from './condition.ts'
import { nameSome } from './words.ts'

/** The run that speaks. */
export interface AlarmSource {
  readonly service: string
  readonly host: string
  readonly incident: string | null
  readonly run: string
  /** ms since 1970. */
  readonly now: number
  readonly newId: () => string
  /** Names the configuration in a command, if it must be named. */
  readonly statusCommand: string
}

/** An alarm to send. A sink gets it if it gets all of these severities: a recovery goes to those that were told. */
export interface OutgoingAlarm {
  readonly alarm: Alarm
  readonly severities: readonly AlarmSeverity[]
  /** The subject of its condition; left out for a recovery. */
  readonly subject?: string
}

export interface FoldResult {
  readonly standing: readonly StandingAlarm[]
  /** The gravest first. */
  readonly outgoing: readonly OutgoingAlarm[]
}

/** An alarm that still holds is repeated after this time. */
const repeatMs = 24 * 3_600_000

export function fold(
  standing: readonly StandingAlarm[],
  { conditions, cleared }: { readonly conditions: readonly Condition[]; readonly cleared: ClearedConditions | null },
  source: AlarmSource,
): FoldResult {
  const outgoing: OutgoingAlarm[] = []
  const left =
    cleared === null ? [...standing] : standing.flatMap((one) => clear(one, standing, cleared, source, outgoing))
  for (const condition of conditions) {
    const at = left.findIndex(
      ({ severity, subject }) => severity === condition.severity && subject === condition.subject,
    )
    const known = left[at]
    const { next, isNews } = merge(known, condition, source)
    if (known === undefined) left.push(next)
    else left[at] = next
    if (isNews) outgoing.push(alarmOf(condition, next, source))
  }
  const gravity = ({ alarm }: OutgoingAlarm): number => severities.indexOf(alarm.severity)
  return { standing: left, outgoing: outgoing.toSorted((one, other) => gravity(one) - gravity(other)) }
}

/** `isNews`: the alarm must go out. */
function merge(
  known: StandingAlarm | undefined,
  condition: Condition,
  { now, incident }: AlarmSource,
): { readonly next: StandingAlarm; readonly isNews: boolean } {
  const { severity, subject, keys, tenantsTotal } = condition
  const since = known?.since ?? condition.since ?? now
  const found = condition.isCulprit === true ? JSON.stringify([incident, ...keys.map(fileKey)]) : undefined
  const culprit = found ?? known?.culprit
  const ofTriage = culprit === undefined ? {} : { culprit }
  if (known === undefined)
    return { next: { severity, subject, since, sentAt: now, keys, total: tenantsTotal, ...ofTriage }, isNews: true }
  const names = new Map([...known.keys, ...keys].map((key) => [fileKey(key), key]))
  const have = new Set(known.keys.map(withDamage))
  const isBeyond = names.size > rememberedMax
  const grew = isBeyond ? tenantsTotal > known.total : keys.some((key) => !have.has(withDamage(key)))
  const isOld = (ageOf(known.sentAt, now) ?? Infinity) >= repeatMs
  const isNews = grew || isOld || (found !== undefined && found !== known.culprit)
  const next = {
    severity,
    subject,
    since,
    sentAt: isNews ? now : known.sentAt,
    keys: [...names.values()].slice(0, rememberedMax),
    total: Math.max(names.size, tenantsTotal),
    ...ofTriage,
  }
  return { next, isNews }
}

const withDamage = (key: TenantKey): string => `${fileKey(key)} ${key.damage}`

function alarmOf(condition: Condition, { since }: StandingAlarm, source: AlarmSource): OutgoingAlarm {
  const { severity, headline, text, tenants, tenantsTotal, command } = condition
  const alarm = { ...frameOf(source, severity, headline), since: isoOf(since), tenants, tenantsTotal, command, text }
  return { alarm, severities: [severity], subject: condition.subject }
}

/** What is left of it; a recovery is added to `outgoing`. */
function clear(
  one: StandingAlarm,
  all: readonly StandingAlarm[],
  cleared: ClearedConditions,
  source: AlarmSource,
  outgoing: OutgoingAlarm[],
): readonly StandingAlarm[] {
  if (one.keys.length === 0) {
    if (!isSubjectCleared(one, cleared, source.now)) return [one]
    if (!isLossGoingOn(one, cleared)) outgoing.push(recoveryAlarm(one, [], source, 0))
    return []
  }
  const hasEnded = (key: TenantKey): boolean => isKeyCleared(one, key, cleared, source.now)
  const isGone = (key: TenantKey): boolean => isUnlisted(one, key, cleared) && !hasEnded(key)
  const left = one.keys.filter((key) => !hasEnded(key) && !isGone(key) && !isKnownOtherwise(one, key, cleared))
  const report = (isOver: (key: TenantKey) => boolean, how?: string): void => {
    const news = one.keys.filter((key) => isOver(key) && !isToldBeside(one, key, all))
    if (news.length > 0) outgoing.push(recoveryAlarm(one, news, source, left.length, how))
  }
  report(hasEnded)
  report(isGone, unlistedWords)
  const total = one.total - (one.keys.length - left.length)
  return left.length === 0 ? [] : [{ ...one, keys: left, total }]
}

/** The recovery of the damage itself says that a file is sound, also after a remedy that was taken back. */
const isToldBeside = ({ severity, subject }: StandingAlarm, key: TenantKey, all: readonly StandingAlarm[]): boolean =>
  subject === takenBackSubject &&
  all.some(
    (other) =>
      other.severity === severity &&
      other.subject !== subject &&
      other.keys.some((one) => fileKey(one) === fileKey(key)),
  )

/**
 * A sweep that was killed and one that reached half are one loss: only a full sweep makes up for it. So are a copy of
 * the list of tenants, and one that has become too old.
 */
const isLossGoingOn = ({ severity, subject }: StandingAlarm, { standingSubjects }: ClearedConditions): boolean =>
  severity === 'STALE' &&
  oneLoss.some((subjects) => subjects.has(subject) && [...subjects].some((other) => standingSubjects?.has(other)))

const howRecovered: Readonly<Record<StandingSeverity, string>> = {
  'HARM SUSPECTED': 'a sweep found all tenants sound',
  PAUSED: 'serving again',
  DAMAGED: 'sound again',
  STALE: 'no longer stale',
  INCONCLUSIVE: 'checked again and sound',
}

/** The file was not found sound: nothing will check it any more. */
const unlistedWords = 'no longer listed by the service'

/**
 * @param rest files of the alarm that are as before
 * @param other how it ended if not by a recovery
 */
function recoveryAlarm(
  one: StandingAlarm,
  ended: readonly TenantKey[],
  source: AlarmSource,
  rest: number,
  other: string | null = null,
): OutgoingAlarm {
  const { severity, since, subject } = one
  const { service, now, statusCommand } = source
  const names = [...new Set(ended.map(({ tenant, path }) => tenant ?? path))]
  const whose = names.length === 0 ? service : `${nameSome(names, names.length)} of ${service}`
  const isSound = other === null && (severity === 'DAMAGED' || severity === 'INCONCLUSIVE')
  const how =
    other ??
    (subject.startsWith('run-')
      ? `the ${subject.slice('run-'.length)} came to its end`
      : subject === ledgerLostSubject
        ? 'all tenants were seen serving'
        : `${howRecovered[severity]}${severity === 'STALE' ? ` (${subject})` : ''}`)
  const age = ageOf(since, now)
  const alarm: Alarm = {
    ...frameOf(source, 'RECOVERED', `${whose}: ${how}`),
    since: isoOf(since),
    tenants: ended
      .slice(0, tenantsMax)
      .map(({ tenant, path }) => ({
        tenant: tenant === null ? null : printableInUtf8(tenant),
        path: printableInUtf8(path),
        verdict: isSound ? 'sound' : null,
        damage: isSound ? 'none' : null,
        remedy: null,
      })),
    tenantsTotal: ended.length,
    command: statusCommand,
    text:
      `${severity} is over${age === null ? '' : ` after ${humanMs(age)}`}: ${whose}: ${how}.` +
      (rest > 0 ? `\n${count(rest, 'other file')} of this alarm ${rest === 1 ? 'is' : 'are'} as before.` : ''),
  }
  return { alarm, severities: [severity, 'RECOVERED'] }
}

const frameOf = (
  { service, host, incident, run, newId }: AlarmSource,
  severity: AlarmSeverity,
  headline: string,
): Pick<Alarm, 'schema' | 'id' | 'severity' | 'title' | 'service' | 'host' | 'incident' | 'run'> => ({
  schema: 'holdfast.alarm/1',
  id: newId(),
  severity,
  title: `${severity}: ${headline}`,
  service,
  host,
  incident,
  run,
})

/** A wrong clock must not make an alarm fail. */
const isoOf = (ms: number): string => new Date(Math.min(Math.max(ms, 0), 8.64e15)).toISOString()
