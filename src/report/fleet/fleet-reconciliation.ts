/** What the database of a fleet says of itself that does not agree: as text, and as a document. */

import { createColors } from 'picocolors'
import { fleetRules, type FleetDisagreement } from '../../fleet/status/fleet-disagreement.ts'
import type { FleetReconciliation } from '../../fleet/status/reconcile-fleet.ts'
import { exitCodes } from '../../model/exit-code.ts'
import { count, groupDigits } from '../../text/count.ts'
import { jsonText } from '../../text/json-text.ts'
import { wrapIndented, wrap } from '../../text/layout.ts'
import { someNames } from '../status/name-some.ts'
import { withConfiguration } from '../text/hint.ts'
import { legibleCommand, legibleSentence } from '../text/legible.ts'
import type { TextOptions } from '../text/result-words.ts'

const headings: Readonly<Record<FleetDisagreement['rule'], string>> = {
  'tenant-on-no-host': 'Tenants that no host has any more',
  'tenant-on-several-hosts': 'Tenants on several hosts',
  'replica-missing': 'Tenants on fewer hosts than meant',
  'host-unknown': 'Hosts with files and without an agent',
  'host-missed': 'Agents that do not report',
  'slot-without-agent': 'Slots of agents that do not report',
  'results-missing': 'Runs that ended without all their results',
  'counts-differ': 'Counts that differ from the results',
  'never-checked': 'Files that were never checked',
}

/** Of each rule, unless the text is verbose. */
const listedMax = 10

const totalOfRules = ({ totals }: FleetReconciliation): number =>
  Object.values(totals).reduce((sum, total) => sum + total, 0)

export const exitCodeOfFleet = (found: FleetReconciliation): 0 | 3 =>
  totalOfRules(found) === 0 ? exitCodes.sound : exitCodes.inconclusive

/** @param resent tenants whose results the agents were asked to send again; null if none were asked */
export function fleetReconciliationText(
  found: FleetReconciliation,
  resent: number | null,
  options: TextOptions,
): string {
  const { bold } = createColors(options.color)
  const config = options.config ?? null
  const lines = fleetRules.flatMap((rule): readonly string[] => {
    const total = found.totals[rule] ?? 0
    if (total === 0) return []
    const all = found.disagreements.filter((one) => one.rule === rule)
    const shown = options.verbose ? all : all.slice(0, listedMax)
    return [
      ...wrap(`${headings[rule]}: ${groupDigits(total)} (${rule})`, options.width).map((line) => bold(line)),
      ...shown.flatMap(({ said, tenant }) =>
        wrapIndented(legibleSentence(said, tenant === null ? [] : [tenant]), options),
      ),
      ...commandsOf(shown).map((command) => `    ${legibleCommand(withConfiguration(command, config))}`),
      ...(total > shown.length
        ? wrapIndented(`${groupDigits(total - shown.length)} more; --verbose or --json lists them`, options)
        : []),
      '',
    ]
  })
  const summary =
    `${count(found.hosts, 'host')}, ${count(found.tenants, 'tenant')}, ${count(found.files, 'file')}: ` +
    `${totalOfRules(found) === 0 ? 'all agree' : count(totalOfRules(found), 'disagreement')}. ` +
    `Exit code ${exitCodeOfFleet(found)}.`
  const meant = found.replicas.flatMap(({ tenants, hosts, total }) =>
    wrap(
      `Meant by fleet.replicas: ${count(total, 'tenant')} on ${count(hosts, 'host')} each (${someNames(tenants)}).`,
      options.width,
    ),
  )
  const asked =
    resent === null
      ? []
      : wrap(
          `The agents were asked to send again what their ledgers have of ${count(resent, 'tenant')}. ` +
            'They do so between two chunks.',
          options.width,
        )
  return `${[...lines, ...meant, ...asked, ...wrap(summary, options.width)].join('\n')}\n`
}

/** A command that helps against all of a rule stands once. */
const commandsOf = (shown: readonly FleetDisagreement[]): readonly string[] =>
  [...new Set(shown.flatMap(({ next }) => (next === null ? [] : [next])))].slice(0, 3)

export function fleetReconciliationDocument(found: FleetReconciliation, resent: number | null): string {
  const { at, hosts, tenants, files, disagreements, totals, replicas } = found
  const total = totalOfRules(found)
  const summary = { agree: total === 0, disagreements: total, byRule: totals, exitCode: exitCodeOfFleet(found) }
  const document = { generatedAt: at, hosts, tenants, files, disagreements, replicas, resent, summary }
  return `${jsonText({ schema: 'holdfast.fleetreconcile/1', ...document })}\n`
}
