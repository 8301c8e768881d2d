/** The commands to type for each state of a fleet that is not OK, the gravest first. A command has its host. */

import type { FleetFile } from '../../../fleet/status/fleet-facts.ts'
import { tenantId } from '../../../model/brand.ts'
import { target } from '../../../text/shell-words.ts'
import { withConfiguration } from '../../text/hint.ts'
import type { FleetJudgement } from './fleet-judgement.ts'
import type { FleetView } from './fleet-view.ts'

export interface NextStep {
  /** Where to type it; null: here. */
  readonly host: string | null
  readonly command: string
}

/** At most this many tenants have a command of their own. */
const tenantsMax = 5
/** If more could not be checked, one sweep is shorter. */
const uncheckedMax = 3

export function fleetNextSteps(view: FleetView, judgement: FleetJudgement): readonly NextStep[] {
  const { breakers, configNamed } = view
  const { paused, missed, stuck, reasons, counts } = judgement
  const here = (command: string): NextStep => ({ host: null, command: withConfiguration(command, configNamed) })
  const unchecked = view.files.filter(({ verdict }) => verdict === 'failed' || verdict === 'inconclusive')
  const isSweepDue = reasons.some((reason) => /^STALE (?:never run|(?:no|last|the last) full sweep|\d)/.test(reason))
  const hasNoCoordinator = reasons.some((reason) => reason.startsWith('STALE no coordinator'))
  const areMany = counts.failed + counts.inconclusive > uncheckedMax
  const steps = [
    ...paused.map(({ host }) => ({ host, command: 'holdfast resume --all' })),
    ...view.files
      .filter(({ verdict }) => verdict === 'damaged')
      .slice(0, tenantsMax)
      .map(remedyOf),
    ...(breakers.length > 0 ? [here('holdfast fleet resume')] : []),
    ...(missed.length > 0 ? [here('holdfast fleet agents')] : []),
    ...(hasNoCoordinator || stuck.length > 0 ? [here('holdfast coordinator')] : []),
    ...(areMany ? [] : unchecked.map(checkOf)),
    ...(isSweepDue || areMany ? [here('holdfast fleet sweep')] : []),
  ]
  return [...new Map(steps.map((step) => [JSON.stringify(step), step])).values()]
}

/** A file that only violates a rule of the application is whole: its report lists the rows. */
const remedyOf = (file: FleetFile): NextStep =>
  file.damage === 'none' ? checkOf(file) : { host: file.host, command: `holdfast repair ${targetOf(file)}` }

const checkOf = (file: FleetFile): NextStep => ({ host: file.host, command: `holdfast check ${targetOf(file)}` })

const targetOf = ({ tenant, path }: FleetFile): string => target(tenantId(tenant), path)
