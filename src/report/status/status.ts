/** Prints what the ledger knows, for people and for monitors. No tenant is touched. */

import { breakable } from '../../text/layout.ts'
import { mapEach, jsonDocument } from '../json.ts'
import { describeOther } from '../text/other-holds.ts'
import { judgeStatus, lastVerdictOf, type StatusJudgement } from './status-judgement.ts'
import { renderStatusLine } from './status-line.ts'
import { renderPrometheus } from './status-prometheus.ts'
import { renderStatusText } from './status-text.ts'
import type { StatusOptions, StatusView, TenantSummary } from './status-view.ts'

export interface RenderedStatus {
  /** In pieces: a list of all tenants may be long. */
  readonly text: Iterable<string>
  /** 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN: the exit code for `nagios` and `monit`. */
  readonly code: 0 | 1 | 2 | 3
}

/** @param all the files that a document lists, if `view` has counted most of them */
export function renderStatus(
  view: StatusView,
  options: StatusOptions,
  all: Iterable<TenantSummary> = view.tenants,
): RenderedStatus {
  const judgement = judgeStatus(view)
  const { code } = judgement
  switch (options.format) {
    case 'text':
      return { code, text: [renderStatusText(view, judgement, options)] }
    case 'json':
      return { code, text: documentOf(view, judgement, all) }
    case 'nagios':
    case 'monit':
      return { code, text: [renderStatusLine(view, judgement)] }
    case 'prometheus':
      return { code, text: [renderPrometheus(view, judgement)] }
  }
}

/** `verdict` and the fields beside it are of the newest check; `standing` is what the counts use. */
function documentOf(
  { config, configNamed: _named, others: _others, tenants: _tenants, ...view }: StatusView,
  { word, code, reasons, counts }: StatusJudgement,
  all: Iterable<TenantSummary>,
): Iterable<string> {
  const { service, selection, via, generatedAt, maxAgeMs, otherHolds, ...facts } = view
  return jsonDocument(
    { schema: 'holdfast.status/1', service, selection, via, generatedAt, maxAgeMs },
    'tenants',
    mapEach(all, (one) => ({ ...one, standing: lastVerdictOf(one) })),
    {
      ...facts,
      otherHolds: otherHolds.map((hold) => ({ ...hold, ...describeOther(hold, config, generatedAt) })),
      state: word,
      code,
      reasons: reasons.map(breakable),
      counts,
    },
  )
}
