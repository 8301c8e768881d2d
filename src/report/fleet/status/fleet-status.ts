/** Prints what the database of a fleet knows, for people and for monitors. No host and no tenant is asked. */

import type { StatusFormat } from '../../status/status-view.ts'
import type { RenderedStatus } from '../../status/status.ts'
import type { TextOptions } from '../../text/result-words.ts'
import { fleetDocument } from './fleet-document.ts'
import { judgeFleet } from './fleet-judgement.ts'
import { renderFleetLine } from './fleet-line.ts'
import { renderFleetPrometheus } from './fleet-prometheus.ts'
import { renderFleetText } from './fleet-text.ts'
import type { FleetView } from './fleet-view.ts'

export function renderFleetStatus(
  view: FleetView,
  { format, ...options }: TextOptions & { readonly format: StatusFormat },
): RenderedStatus {
  const judgement = judgeFleet(view)
  const { code } = judgement
  switch (format) {
    case 'text':
      return { code, text: [renderFleetText(view, judgement, options)] }
    case 'json':
      return { code, text: fleetDocument(view, judgement) }
    case 'nagios':
    case 'monit':
      return { code, text: [renderFleetLine(view, judgement)] }
    case 'prometheus':
      return { code, text: [renderFleetPrometheus(view, judgement)] }
  }
}
