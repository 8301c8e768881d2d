/** The status of a fleet as one JSON document. Names and paths are as the database has them. */

import { breakable } from '../../../text/layout.ts'
import { mapEach, jsonDocument } from '../../json.ts'
import type { FleetJudgement } from './fleet-judgement.ts'
import { fleetNextSteps } from './fleet-next.ts'
import { lastFullSweep, type FleetView } from './fleet-view.ts'
import { describeHost } from './host-document.ts'

export function fleetDocument(view: FleetView, judgement: FleetJudgement): Iterable<string> {
  const { at, maxAgeMs, expiryMs, hosts, shares, files, oldest, runs, slots, breakers, coordinators } = view
  const { word, code, reasons, counts, stale, missed, stuck, paused } = judgement
  const byHost = Map.groupBy(shares, ({ host }) => host)
  const named = new Set(hosts.map(({ name }) => name))
  return jsonDocument(
    { schema: 'holdfast.fleetstatus/1', generatedAt: at, maxAgeMs, state: word, code, reasons: reasons.map(breakable) },
    'hosts',
    mapEach(hosts, (host) => describeHost(host, byHost.get(host.name) ?? [], missed.includes(host))),
    {
      /** Hosts that have files and are not registered. */
      hostsUnknown: [...byHost.keys()].filter((name) => !named.has(name)),
      counts,
      stale,
      filesTotal: counts.damaged + counts.inconclusive + counts.failed,
      files,
      oldest,
      lastFullSweepAt: lastFullSweep(view)?.endedAt ?? null,
      runs,
      coordinators,
      pauses: {
        expiryMs,
        scopes: [...Map.groupBy(slots, ({ scope }) => scope)].map(([scope, all]) => ({
          scope,
          limit: all.length,
          taken: all.filter(({ holder }) => holder !== null).length,
          stuck: all.filter((slot) => stuck.includes(slot)).length,
        })),
        breakers,
        isResting: view.isResting,
        overdue: paused.length,
      },
      next: fleetNextSteps(view, judgement),
    },
  )
}
