/** The agents of a fleet with what their hosts have. */

import type { HostFacts, FleetShare } from '../../fleet/status/fleet-facts.ts'
import type { RemovedHost } from '../../fleet/status/remove-host.ts'
import { count } from '../../text/count.ts'
import { jsonText } from '../../text/json-text.ts'
import { wrap } from '../../text/layout.ts'
import type { TextOptions } from '../text/result-words.ts'
import { removedHostText } from './removed-host.ts'
import { agentTable } from './status/agent-table.ts'
import { isMissed } from './status/fleet-view.ts'
import { describeHost } from './status/host-document.ts'

export interface FleetAgents {
  readonly at: number
  readonly hosts: readonly HostFacts[]
  readonly shares: readonly FleetShare[]
  /** The host that this command has removed; null if it was only asked. */
  readonly removed: RemovedHost | null
}

export function fleetAgentsText({ at, hosts, shares, removed }: FleetAgents, options: TextOptions): string {
  const done = removed === null ? [] : [...removedHostText(removed, options), '']
  if (hosts.length === 0) return `${[...done, removed === null ? none : noneLeft].join('\n')}\n`
  const missed = hosts.filter((host) => isMissed(host, at)).length
  return `${[
    ...done,
    ...agentTable(hosts, { at, shares }, options),
    ...wrap(
      `${count(hosts.length, 'agent')}, ${missed === 0 ? 'all report' : `${missed} not reporting`}`,
      options.width,
    ),
  ].join('\n')}\n`
}

const none = 'No agent has registered yet: start `holdfast agent` on each host.'
const noneLeft = 'The fleet has no other host.'

export function fleetAgentsDocument({ at, hosts, shares, removed }: FleetAgents): string {
  const byHost = Map.groupBy(shares, ({ host }) => host)
  const described = hosts.map((host) => describeHost(host, byHost.get(host.name) ?? [], isMissed(host, at)))
  return `${jsonText({ schema: 'holdfast.fleetagents/1', generatedAt: at, hosts: described, removed })}\n`
}
