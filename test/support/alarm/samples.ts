/** What runs see and tell, made up for the tests of alarms. */

import type { LedgerFacts, EndedRun } from '../../../src/alarm/alarms.ts'
import type { ClearedConditions, Condition, StandingAlarm } from '../../../src/alarm/condition.ts'
import { ConditionsOfRun } from '../../../src/alarm/conditions-of-run.ts'
import { fold, type FoldResult, type AlarmSource } from '../../../src/alarm/fold.ts'
import type { Result } from '../../../src/model/result/report.ts'

export const t0 = Date.parse('2026-11-28T03:00:00Z')

/** A sweep of all tenants at full depth that came to its end. */
export const fullEnding = (files: number): EndedRun => ({
  counts: { selected: files, covered: files },
  whole: true,
  stopped: null,
  failure: null,
})
/** The ledger is older than `t0`, and knows of nothing that is absent and of no open hold. */
export const nothingAbsent: LedgerFacts = {
  absences: [],
  held: [],
  served: new Map(),
  recordedSince: t0 - 1_000_000,
  holdsLost: false,
  othersWork: false,
}

let ids = 0
const sourceAt = (now: number, incident: string | null): AlarmSource => ({
  service: 'notes',
  host: 'host',
  incident,
  run: 'run',
  now,
  newId: () => String(++ids).padStart(26, '0'),
  statusCommand: 'holdfast status',
})

interface CollectMore {
  readonly config?: string | null
  readonly watched?: ReadonlySet<string>
  readonly isHarmStanding?: boolean
}

export const collect = (
  mode: string,
  { config = null, watched = new Set(), isHarmStanding = false }: CollectMore = {},
): ConditionsOfRun => new ConditionsOfRun({ mode, service: 'notes', config, watched, isHarmStanding })

interface FoldOptions {
  readonly standing?: readonly StandingAlarm[]
  readonly mode?: string
  readonly config?: string | null
  readonly ending?: EndedRun
  readonly learned?: LedgerFacts | null
}

/** What a run sees that has these results. */
export function seenBy(
  results: readonly Result[],
  {
    standing = [],
    mode = 'sweep',
    config = null,
    ending = fullEnding(results.length),
    learned = nothingAbsent,
  }: FoldOptions = {},
): { readonly conditions: readonly Condition[]; readonly cleared: ClearedConditions } {
  const watched = standing.flatMap(({ keys }) => keys.map(({ tenant, path }) => JSON.stringify([tenant, path])))
  const isHarmStanding = standing.some(({ severity }) => severity === 'HARM SUSPECTED')
  const run = collect(mode, { config, watched: new Set(watched), isHarmStanding })
  for (const result of results) run.consider(result)
  return run.end(ending, learned)
}

/** One run after another, each folded into what the earlier ones left. */
export class AlarmHistory {
  standing: readonly StandingAlarm[] = []

  run(now: number, results: readonly Result[], more: Omit<FoldOptions, 'standing'> = {}): FoldResult {
    const folded = fold(this.standing, seenBy(results, { ...more, standing: this.standing }), sourceAt(now, null))
    this.standing = folded.standing
    return folded
  }

  /** A triage finds its first culprit. @returns the titles of the alarms that go out */
  culprit(now: number, result: Result, incident: string): readonly string[] {
    const seen = { conditions: [collect('triage').culprit(result)], cleared: null }
    const { standing, outgoing } = fold(this.standing, seen, sourceAt(now, incident))
    this.standing = standing
    return outgoing.map(({ alarm }) => `${alarm.incident} ${alarm.title}`)
  }

  /** Titles of the alarms that go out. */
  titles(...args: Parameters<AlarmHistory['run']>): readonly string[] {
    return this.run(...args).outgoing.map(({ alarm }) => alarm.title)
  }
}
