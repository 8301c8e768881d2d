/** The commands to type for each state of a fleet that is not OK, the gravest first. A command has its host. */

import type { FleetFile } from '../../../fleet/status/fleet-facts.ts'
import { tenantId } from '../../../model/brand.ts'
import { failureKinds, signsOfHarm } from '../../../model/failure.ts'
import { targetWords } from '../../../text/shell-words.ts'
import { withConfiguration } from '../../text/hint.ts'
import { resumeCommand } from '../fleet-pauses.ts'
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
  const ofPaused = paused.map(({ host }) => ({ host, command: 'holdfast resume --all' }))
  const ofBreakers = breakers.map(({ scope }) => here(resumeCommand(scope)))
  // Another check or remedy may do more harm.
  if (reasons.some((reason) => reason.startsWith('HARM SUSPECTED')))
    return onceEach([...ofPaused, explainHarm(view), ...ofBreakers])
  const steps = [
    ...ofPaused,
    ...view.files
      .filter(({ verdict }) => verdict === 'damaged')
      .slice(0, tenantsMax)
      .map(remedyOf),
    ...ofBreakers,
    ...(missed.length > 0 ? [here('holdfast fleet agents')] : []),
    ...(hasNoCoordinator || stuck.length > 0 ? [here('holdfast coordinator')] : []),
    ...(areMany ? [] : unchecked.map(checkOf)),
    ...(isSweepDue || areMany ? [here('holdfast fleet sweep')] : []),
  ]
  return onceEach(steps)
}

const onceEach = (steps: readonly NextStep[]): readonly NextStep[] => [
  ...new Map(steps.map((step) => [JSON.stringify(step), step])).values(),
]

/** A result that opened a breaker begins the reason with its failure. */
function explainHarm({ files, breakers }: FleetView): NextStep {
  const ofFiles = files.map(({ failure }) => failure ?? '').filter((code) => signsOfHarm.has(code))
  const ofReasons = breakers.map(({ reason }) => /^[A-Z_]*/.exec(reason)?.[0] ?? '')
  const sign = [...ofFiles, ...ofReasons].find((code) => Object.hasOwn(failureKinds, code)) ?? 'HARM_SUSPECTED'
  return { host: null, command: `holdfast explain ${sign}` }
}

/** A file that only violates a rule of the application is whole: its report lists the rows. */
const remedyOf = (file: FleetFile): NextStep =>
  file.damage === 'none' ? checkOf(file) : { host: file.host, command: `holdfast repair ${targetOf(file)}` }

const checkOf = (file: FleetFile): NextStep => ({ host: file.host, command: `holdfast check ${targetOf(file)}` })

const targetOf = ({ tenant, path }: FleetFile): string => targetWords(tenantId(tenant), path)
