/** Conditions that are about the service or the run, and not about one tenant. Pure. */

import type { Failure, FailureCode } from '../model/failure.ts'
import type { RunFailure } from '../model/result/report.ts'
import type { Absence } from '../report/status/absences.ts'
import { withConfiguration } from '../report/text/hint.ts'
import { count } from '../text/count.ts'
import type { EndedRun } from './alarms.ts'
import { ledgerLostSubject, type Condition } from './condition.ts'
import { lead, sentence } from './words.ts'

export interface RunDescription {
  readonly mode: string
  readonly service: string
  /** The configuration to name in commands; null if they find it. */
  readonly config: string | null
}

/** `LEASE_LOST`: so many leases ended that the service does not keep its promise. */
const harmfulStops: ReadonlySet<FailureCode> = new Set<FailureCode>([
  'HARM_SUSPECTED',
  'LOCK_NOT_HONOURED',
  'LEASE_LOST',
])

/** Failures of a run that a person has caused, or that are no news: another run works, or a signal ended this one. */
const noAlarm: ReadonlySet<string> = new Set<FailureCode>([
  'USAGE',
  'TENANT_UNKNOWN',
  'INTERRUPTED',
  'RUN_ACTIVE',
  'REGISTRY_STALE', // An absence says it.
])

const nothingNamed = { tenants: [], keys: [], tenantsTotal: 0 } as const

export const isHarmfulStop = ({ code }: Failure): boolean => harmfulStops.has(code)

export const stopCondition = ({ code, message }: Failure, { service }: RunDescription): Condition => ({
  ...nothingNamed,
  severity: 'HARM SUSPECTED',
  subject: code,
  headline: `${code} on ${service}`,
  text: `${lead['HARM SUSPECTED']}\n${code}: ${sentence(message)}.`,
  since: null,
  command: `holdfast explain ${code}`,
})

export const absenceCondition = (
  { kind, since, text, command }: Absence,
  { service, config }: RunDescription,
): Condition => ({
  ...nothingNamed,
  severity: 'STALE',
  subject: kind,
  headline: `${service}: ${text}`,
  text: `${lead.STALE}\n${text}.`,
  since,
  command: withConfiguration(command, config),
})

export const ledgerLostCondition = ({ service, config }: RunDescription): Condition => ({
  ...nothingNamed,
  severity: 'INCONCLUSIVE',
  subject: ledgerLostSubject,
  headline: `the ledger of ${service} was lost`,
  text:
    'The ledger was lost or damaged. So holdfast does not know whether an earlier run left a tenant paused.\n' +
    'A sweep that sees all tenants serving ends this alarm.',
  since: null,
  command: withConfiguration('holdfast resume --all', config),
})

/**
 * A run that failed as a whole told nothing of any tenant, and must not be taken for one that found nothing.
 * @param counts null if nothing was selected
 */
export function failedRunConditions(
  { code, message, tenantState }: RunFailure,
  counts: EndedRun['counts'],
  { mode, service, config }: RunDescription,
): readonly Condition[] {
  if (noAlarm.has(code)) return []
  const base = { ...nothingNamed, since: null }
  const why = `${code}: ${sentence(message)}.`
  if (tenantState === 'maybe-paused')
    return [
      {
        ...base,
        severity: 'PAUSED',
        subject: code,
        headline: `a tenant of ${service} may be paused`,
        text: `${lead.PAUSED}\n${why}`,
        command: withConfiguration('holdfast resume --all', config),
      },
    ]
  const reached = counts === null ? '' : ` It reached ${counts.covered} of ${count(counts.selected, 'file')}.`
  return [
    {
      ...base,
      severity: 'INCONCLUSIVE',
      subject: `run-${mode}`,
      headline: `the ${mode} of ${service} failed: ${code}`,
      text: `The ${mode} failed.${reached} Nothing is known of the others.\n${why}`,
      command: code === 'BUG' ? withConfiguration('holdfast doctor', config) : `holdfast explain ${code}`,
    },
  ]
}
