/** The commands to type for each state that is not OK, the gravest first. */

import { tenantId } from '../../model/brand.ts'
import { targetWords } from '../../text/shell-words.ts'
import { withConfiguration } from '../text/hint.ts'
import { describeOther } from '../text/other-holds.ts'
import { harmIn, lastVerdictOf, type LastVerdict, type StatusJudgement } from './status-judgement.ts'
import type { StatusView, TenantSummary } from './status-view.ts'

/** At most this many tenants of each state have their own command. */
const checksMax = 5
/** If more could not be checked, one sweep is shorter. */
const uncheckedMax = 3

export function nextCommands(view: StatusView, { overdueHolds, reasons }: StatusJudgement): readonly string[] {
  const { tenants, openHolds, otherHolds, selection, generatedAt } = view
  const isOverdue = openHolds.some(({ leftBehind }) => leftBehind) || (overdueHolds > 0 && otherHolds.length === 0)
  // Absences have commands of their own.
  const isStale = reasons.some((reason) => /^STALE (?:\d|no selected)/.test(reason))
  const harm = harmIn(view)
  const steps = [
    ...remediesOf(tenants),
    ...againstUnchecked(view),
    ...view.absences.map(({ command }) => command),
    ...(isStale ? (selection === null ? ['holdfast sweep'] : againstStale(view)) : []),
  ]
  // Each further pause may do further harm (I1.8).
  const ours = harm === null ? steps : [`holdfast explain ${harm}`]
  return [
    ...new Set([
      ...(isOverdue || view.ledgerLost ? [withConfiguration('holdfast resume --all', view.configNamed)] : []),
      ...otherHolds.map((hold) => describeOther(hold, view.config, generatedAt).next),
      ...ours.map((command) => withConfiguration(command, view.configNamed)),
    ]),
  ]
}

/** `repair` finds the remedy and tries it on a copy. Where only a backup helps, it prints that command. */
function remediesOf(tenants: readonly TenantSummary[]): readonly string[] {
  const damaged = tenants.filter((one) => lastVerdictOf(one) === 'damaged')
  return [...new Set(damaged.map(remedyOf))].slice(0, checksMax)
}

/**
 * A file that only violates a rule of the application is whole: its report lists the rows. A pinned file has a program
 * that must stop for a remedy, and `repair` may stop it to plan one. The report of a check says which remedy it needs.
 */
function remedyOf(one: TenantSummary): string {
  const { damage, level } = one.settled ?? one
  if (damage === 'none' || level === 'pinned') return checkOf(one)
  return `holdfast repair ${targetOf(one)}`
}

function checksOf(tenants: readonly TenantSummary[], standing: LastVerdict): readonly string[] {
  return [...new Set(tenants.filter((one) => lastVerdictOf(one) === standing).map(checkOf))].slice(0, checksMax)
}

function againstUnchecked({ tenants, selection }: StatusView): readonly string[] {
  const unchecked = tenants.filter((one) => ['inconclusive', 'failed'].includes(lastVerdictOf(one)))
  if (selection !== null || new Set(unchecked.map(({ tenant, path }) => tenant ?? path)).size <= uncheckedMax) {
    return [...checksOf(tenants, 'inconclusive'), ...checksOf(tenants, 'failed')]
  }
  return ['holdfast sweep']
}

function checkOf({ tenant, path, failure, level }: TenantSummary): string {
  if (failure === 'TENANT_GONE' || failure === 'FILE_GONE') return `holdfast explain ${failure}`
  if (tenant === null && level === 'pinned') return `holdfast check --live ${targetOf({ tenant, path })}`
  return `holdfast check ${targetOf({ tenant, path })}`
}

const targetOf = ({ tenant, path }: Pick<TenantSummary, 'tenant' | 'path'>): string =>
  targetWords(tenant === null ? null : tenantId(tenant), path)

/** For selected tenants: they do not need a sweep of all. */
const againstStale = ({ tenants }: StatusView): readonly string[] =>
  [...new Set(tenants.map(checkOf))].slice(0, checksMax)
