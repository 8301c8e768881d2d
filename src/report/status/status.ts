/** Prints what the ledger knows, for people and for monitors. No tenant is touched. */

import { jsonText } from '../../text/json-text.ts'
import { breakable } from '../../text/layout.ts'
import { describeOther } from '../text/other-holds.ts'
import { judgeStatus, standingOf, type StatusJudgement } from './status-judgement.ts'
import { renderStatusLine } from './status-line.ts'
import { renderPrometheus } from './status-prometheus.ts'
import { renderStatusText } from './status-text.ts'
import type { StatusOptions, StatusView } from './status-view.ts'

export interface StatusRendering {
  readonly text: string
  /** 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN: the exit code for `nagios` and `monit`. */
  readonly code: 0 | 1 | 2 | 3
}

export function renderStatus(view: StatusView, options: StatusOptions): StatusRendering {
  const judgement = judgeStatus(view)
  const { code } = judgement
  switch (options.format) {
    case 'text':
      return { code, text: renderStatusText(view, judgement, options) }
    case 'json':
      return { code, text: `${jsonText(documentOf(view, judgement))}\n` }
    case 'nagios':
    case 'monit':
      return { code, text: renderStatusLine(view, judgement) }
    case 'prometheus':
      return { code, text: renderPrometheus(view, judgement) }
  }
}

/** `verdict` and the fields beside it are of the newest check; `standing` is what the counts use. */
const documentOf = (view: StatusView, { word, code, reasons, counts }: StatusJudgement): object => ({
  schema: 'holdfast.status/1',
  ...view,
  config: undefined,
  configNamed: undefined,
  otherHolds: view.otherHolds.map((hold) => ({ ...hold, ...describeOther(hold, view.config, view.generatedAt) })),
  tenants: view.tenants.map((one) => ({ ...one, standing: standingOf(one) })),
  state: word,
  code,
  reasons: reasons.map(breakable),
  counts,
})
