/** What the ledger knows, for people and for the programs that watch: no tenant is touched. */

import type { CheckedThen, PauseTotals } from '../../ledger/ledger.ts'
import type { OpenHold } from '../../model/event.ts'
import type { FailureCode } from '../../model/failure.ts'
import type { SealLevel } from '../../model/result/evidence.ts'
import type { DamageClass } from '../../model/result/finding.ts'
import type { VerdictWord } from '../../model/result/verdict.ts'
import type { OtherHold } from '../../model/service-way.ts'
import { jsonText } from '../../text/json-text.ts'
import { breakable } from '../../text/layout.ts'
import { describeOther } from '../text/other-holds.ts'
import { judgeStatus, standingOf, type StatusJudgement } from './status-judgement.ts'
import { renderStatusLine } from './status-line.ts'
import { renderPrometheus } from './status-prometheus.ts'
import { renderStatusText } from './status-text.ts'

/** The newest check of one file. Times are ms since 1970; null where there was none. */
export interface TenantSummary {
  readonly tenant: string | null
  readonly path: string
  /** null: never checked. */
  readonly verdict: VerdictWord | null
  readonly damage: DamageClass
  readonly level: SealLevel
  readonly depth: 'quick' | 'full'
  readonly checkedAt: number | null
  /** What kept it from being checked wholly; null where nothing did. */
  readonly failure: FailureCode | null
  readonly pauseMs: number | null
  /**
   * The newest check that settles something: a full one that came out sound, or any that found damage; null where there
   * was none.
   */
  readonly settled: SettledThen | null
}

export type SettledThen = Pick<CheckedThen, 'at' | 'verdict' | 'damage' | 'level' | 'depth' | 'pauseMs'>

/** `leftBehind`: no run is at work on it any more. */
export type StandingHold = OpenHold & { readonly leftBehind: boolean }

/** As they were given on the command line. */
export interface StatusSelection {
  readonly tenants: readonly string[]
  readonly only: readonly string[]
}

export interface StatusView {
  readonly service: string
  /** What it is limited to; null for all that the ledger knows of the service. */
  readonly selection: StatusSelection | null
  readonly tenants: readonly TenantSummary[]
  /** How the service is reached: a pause by hooks has no lease that would end it. */
  readonly via: 'admin-api' | 'hooks'
  /** Holds that the ledger does not know to have ended. */
  readonly openHolds: readonly StandingHold[]
  /**
   * Holds that were not surely asked for by this service in this way, and that nobody is at work on. Those of other
   * services are named only.
   */
  readonly otherHolds: readonly OtherHold[]
  /** The configuration file, for commands. */
  readonly config: string
  /** The same where the command line named it: commands must name it too. Else null. */
  readonly configNamed: string | null
  readonly lastFullSweepAt: number | null
  /** Of all tenants of the service, whatever `selection` says. */
  readonly pauses: PauseTotals
  /** The ledger was there, and is gone. */
  readonly ledgerLost: boolean
  readonly generatedAt: number
  /** Checks older than this are stale. */
  readonly maxAgeMs: number
}

export type StatusFormat = 'text' | 'json' | 'nagios' | 'monit' | 'prometheus'

export interface StatusOptions {
  readonly format: StatusFormat
  readonly width: number
  readonly cuts?: boolean
  readonly color: boolean
  readonly verbose: boolean
}

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

/** `verdict` and what stands beside it are of the newest check; `standing` is what the counts go by. */
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
