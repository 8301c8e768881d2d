/** The agents of a fleet with what their hosts have. */

import { agentMissedMs, type HostFacts, type FleetShare } from '../../fleet/status/fleet-facts.ts'
import { ageOf } from '../../model/age.ts'
import { count } from '../../text/count.ts'
import { jsonText } from '../../text/json-text.ts'
import { wrap } from '../../text/layout.ts'
import type { TextOptions } from '../text/result-words.ts'
import { agentTable } from './status/agent-table.ts'
import { describeHost } from './status/host-document.ts'

export interface FleetAgents {
  readonly at: number
  readonly hosts: readonly HostFacts[]
  readonly shares: readonly FleetShare[]
}

const isMissed = ({ seenAt }: HostFacts, at: number): boolean => (ageOf(seenAt, at) ?? 0) > agentMissedMs

export function fleetAgentsText({ at, hosts, shares }: FleetAgents, options: TextOptions): string {
  if (hosts.length === 0) return 'No agent has registered yet.\n'
  const missed = hosts.filter((host) => isMissed(host, at)).length
  return `${[
    ...agentTable(hosts, { at, shares }, options),
    ...wrap(
      `${count(hosts.length, 'agent')}, ${missed === 0 ? 'all report' : `${missed} not reporting`}`,
      options.width,
    ),
  ].join('\n')}\n`
}

export function fleetAgentsDocument({ at, hosts, shares }: FleetAgents): string {
  const byHost = Map.groupBy(shares, ({ host }) => host)
  const described = hosts.map((host) => describeHost(host, byHost.get(host.name) ?? [], isMissed(host, at)))
  return `${jsonText({ schema: 'holdfast.fleetagents/1', generatedAt: at, hosts: described })}\n`
}
