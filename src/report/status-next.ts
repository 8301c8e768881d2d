/** What to type for each state that is not OK, gravest first. */
import { target } from '../diagnosis/command.ts'
import { tenantId } from '../model/brand.ts'
import { withConfiguration } from './hint.ts'
import { describeOther } from './other-holds.ts'
import { standingOf, type Standing, type StatusJudgement } from './status-judgement.ts'
import type { StatusView, TenantStatus } from './status.ts'

/** So many tenants of each state get a command of their own. */
const checksMax = 5

export function nextCommands(view: StatusView, { overdueHolds, reasons }: StatusJudgement): readonly string[] {
  const { tenants, openHolds, otherHolds, selection, generatedAt } = view
  const isOverdue = openHolds.some(({ leftBehind }) => leftBehind) || (overdueHolds > 0 && otherHolds.length === 0)
  const isStale = reasons.some((reason) => reason.startsWith('STALE'))
  const ours = [
    ...checksOf(tenants, 'damaged'), ...checksOf(tenants, 'inconclusive'), ...checksOf(tenants, 'failed'),
    ...(isStale ? (selection === null ? ['holdfast sweep'] : againstStale(view)) : []),
  ]
  return [...new Set([
    ...(isOverdue || view.ledgerLost ? [withConfiguration('holdfast resume --all', view.configNamed)] : []),
    ...otherHolds.map((hold) => describeOther(hold, view.config, generatedAt).next),
    ...ours.map((command) => withConfiguration(command, view.configNamed)),
  ])]
}

function checksOf(tenants: readonly TenantStatus[], standing: Standing): readonly string[] {
  return [...new Set(tenants.filter((one) => standingOf(one) === standing).map(checkOf))].slice(0, checksMax)
}

function checkOf({ tenant, path, failure }: TenantStatus): string {
  if (failure === 'TENANT_GONE' || failure === 'FILE_GONE') return `holdfast explain ${failure}`
  return `holdfast check ${target(tenant === null ? null : tenantId(tenant), path)}`
}

/** Of selected tenants alone: no sweep of all is needed for them. */
const againstStale = ({ tenants }: StatusView): readonly string[] =>
  [...new Set(tenants.map(checkOf))].slice(0, checksMax)
