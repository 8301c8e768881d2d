/**
 * Turns what a run sees into conditions: from its results, its stop reason, and what is missing. Pure. Its memory is
 * bounded, whatever the number of tenants.
 */

import type { RemedyResult } from '../model/result/remedy.ts'
import type { Result } from '../model/result/report.ts'
import type { Absence } from '../report/status/absences.ts'
import { withConfiguration } from '../report/text/hint.ts'
import type { OpenHoldOutcome } from '../runs/open-holds/open-holds.ts'
import { printableInUtf8 } from '../text/printable.ts'
import { tenantsMax } from './alarm.ts'
import type { LedgerFacts, EndedRun } from './alarms.ts'
import { judgeChange } from './changed-tenant.ts'
import {
  fileKey,
  missingSweeps,
  takenBackSubject,
  type ClearedConditions,
  type Condition,
  type StandingSeverity,
} from './condition.ts'
import { FilesOfSeverity } from './files-of-severity.ts'
import { countNames, isQuietSample, isSeenServing, keyOf, severityOf } from './of-result.ts'
import {
  absenceCondition,
  failedRunConditions,
  isHarmfulStop,
  ledgerLostCondition,
  stopCondition,
  type RunDescription,
} from './service-conditions.ts'
import {
  alarmTenantOf,
  alarmCommand,
  describeResult,
  lead,
  nameSome,
  adviceWhileStopped,
  sentence,
  takenBackLead,
  withoutChanges,
} from './words.ts'

const describedMax = 5

export interface ConditionTerms extends RunDescription {
  /** Files (`fileKey`) of standing conditions: it is remembered that they are sound again. */
  readonly watched: ReadonlySet<string>
  /** True if an earlier alarm of suspected harm is not over. */
  readonly isHarmStanding: boolean
}

export class ConditionsOfRun {
  readonly #terms: ConditionTerms
  readonly #seen = new Map<StandingSeverity, FilesOfSeverity>()
  readonly #takenBack = new Map<StandingSeverity, FilesOfSeverity>()
  /** Of the watched files: those that had a result. */
  readonly #met = new Set<string>()
  readonly #sound = new Set<string>()
  readonly #damaged = new Set<string>()
  readonly #resumed = new Set<string>()
  #results = 0
  #soundResults = 0
  #servingResults = 0
  #isHarmed = false

  constructor(terms: ConditionTerms) {
    this.#terms = terms
  }

  /** @returns the condition that must be told immediately; null for none */
  consider(result: Result): Condition | null {
    this.#results++
    if (isSeenServing(result)) this.#servingResults++
    // It is what was asked for, and shows no recovery either.
    if (isQuietSample(result)) return null
    // A place that could not be searched is the absence `registry-partly`: no later result would end its alarm.
    if (result.tenant === null && this.#terms.mode === 'sweep') return null
    const severity = severityOf(result)
    const file = fileKey(result)
    const isWatched = this.#terms.watched.has(file)
    if (isWatched) this.#met.add(file)
    if (isWatched && result.verdict === 'damaged') this.#damaged.add(file)
    if (severity === null) {
      this.#soundResults++
      if (isWatched && result.depth === 'full') this.#sound.add(file)
      return null
    }
    this.#add(severity, result)
    return severity === 'PAUSED' ? this.#conditionOf('PAUSED') : null
  }

  /** Takes an earlier result of this file back: `result` takes its place. */
  forget(result: Result, before: Pick<Result, 'verdict' | 'failure'>): void {
    this.#results--
    if (isSeenServing(before)) this.#servingResults--
    const severity = severityOf(before)
    if (severity === null) this.#soundResults--
    else
      for (const one of new Set([severity, ...(before.verdict === 'damaged' ? (['DAMAGED'] as const) : [])]))
        this.#seen.get(one)?.remove(fileKey(keyOf(one, result)))
    this.#sound.delete(fileKey(result))
    this.#damaged.delete(fileKey(result))
  }

  /** The condition of one damaged file, to be told immediately. */
  culprit(result: Result): Condition {
    const seen = new FilesOfSeverity()
    this.#addTo(seen, 'DAMAGED', result)
    const described = this.#describe('DAMAGED', seen)
    const condition = { ...described, headline: `CULPRIT ${described.headline}`, isCulprit: true } as const
    return this.#isUnderHarm ? withoutChanges(condition, this.#terms.config) : condition
  }

  /** Considers a change of live data. @returns the condition to be told immediately; null for none */
  considerRemedy(result: RemedyResult): Condition | null {
    const judged = judgeChange(result)
    if (judged === 'well' && this.#terms.watched.has(fileKey(result))) this.#sound.add(fileKey(result))
    if (judged === 'well' || judged === 'unchanged') return null
    const { severity, isTakenBack, named, key, said, command } = judged
    const seen = isTakenBack ? this.#takenBackOf(severity) : this.#seenOf(severity)
    seen.add(named, key, said, withConfiguration(command, this.#terms.config))
    return severity === 'PAUSED' ? this.#conditionOf('PAUSED') : null
  }

  /** Considers holds of an earlier run. @returns the condition to be told immediately; null for none */
  considerEndings(endings: readonly OpenHoldOutcome[]): Condition | null {
    let anyPaused = false
    for (const { hold, failure } of endings) {
      if (failure === null) {
        this.#resumed.add(hold.tenant)
        continue
      }
      anyPaused = true
      const tenant = printableInUtf8(hold.tenant)
      this.#seenOf('PAUSED').add(
        { tenant, path: '', verdict: null, damage: null, remedy: null },
        { tenant: hold.tenant, path: '', damage: 'none' },
        `An earlier run left a hold on ${tenant} open: ${failure.code}: ${sentence(failure.message)}.`,
        withConfiguration('holdfast resume --all', this.#terms.config),
      )
    }
    return anyPaused ? this.#conditionOf('PAUSED') : null
  }

  /**
   * All that the run has seen.
   * @param learned null if the ledger told nothing
   * @param known absences that the ledger does not know
   */
  end(
    ending: EndedRun,
    learned: LedgerFacts | null,
    known: readonly Absence[] = [],
  ): { readonly conditions: readonly Condition[]; readonly cleared: ClearedConditions } {
    const absences = [...(learned?.absences ?? []), ...known]
    const isFull = coversAll(ending)
    // A file that was not due was not looked at.
    const leftNoneOut = isFull && (ending.counts?.notDue ?? 0) === 0
    const conditions = [
      ...this.#stops(ending),
      ...[...this.#seen].flatMap(([severity, seen]) => (seen.total > 0 ? [this.#describe(severity, seen)] : [])),
      ...[...this.#takenBack].map(([severity, seen]) => this.#describe(severity, seen, takenBackSubject)),
      ...absences.map((absence) => absenceCondition(absence, this.#terms)),
      ...(learned?.holdsLost === true ? [ledgerLostCondition(this.#terms)] : []),
      ...this.#failedRun(ending),
    ]
    return {
      conditions: this.#isUnderHarm ? conditions.map((one) => withoutChanges(one, this.#terms.config)) : conditions,
      cleared: {
        sound: this.#sound,
        damaged: this.#damaged,
        unlisted: new Set(isFull ? [...this.#terms.watched].filter((file) => !this.#met.has(file)) : []),
        resumed: this.#resumed,
        held: learned === null ? null : new Set(learned.held),
        served: learned?.served ?? new Map<string, number>(),
        recordedSince: learned === null || learned.holdsLost ? null : learned.recordedSince,
        allServing: leftNoneOut && this.#servingResults === this.#results,
        standingSubjects:
          learned === null
            ? null
            : new Set([...absences.map(({ kind }) => kind), ...(learned.othersWork ? missingSweeps : [])]),
        allSound: leftNoneOut && !this.#isHarmed && this.#results > 0 && this.#soundResults === this.#results,
        endedRun: ending.failure === null ? `run-${this.#terms.mode}` : null,
      },
    }
  }

  #add(severity: StandingSeverity, result: Result): void {
    if (severity === 'HARM SUSPECTED') this.#isHarmed = true
    this.#addTo(this.#seenOf(severity), severity, result)
    // The data is damaged, whatever else is wrong.
    if (severity !== 'DAMAGED' && result.verdict === 'damaged') this.#addTo(this.#seenOf('DAMAGED'), 'DAMAGED', result)
  }

  #addTo(seen: FilesOfSeverity, severity: StandingSeverity, result: Result): void {
    const key = keyOf(severity, result)
    const { mode, config } = this.#terms
    const whileStopped = mode === 'triage' ? adviceWhileStopped(result, config) : ''
    seen.add(alarmTenantOf(result, config), key, describeResult(result), alarmCommand(result, config), whileStopped)
  }

  #seenOf(severity: StandingSeverity): FilesOfSeverity {
    const seen = this.#seen.get(severity) ?? new FilesOfSeverity()
    this.#seen.set(severity, seen)
    return seen
  }

  #takenBackOf(severity: StandingSeverity): FilesOfSeverity {
    const seen = this.#takenBack.get(severity) ?? new FilesOfSeverity()
    this.#takenBack.set(severity, seen)
    return seen
  }

  #conditionOf(severity: StandingSeverity): Condition {
    return this.#describe(severity, this.#seenOf(severity))
  }

  #describe(severity: StandingSeverity, { files, total }: FilesOfSeverity, subject = ''): Condition {
    const keys = files.map(({ key }) => key)
    const sentences = files
      .slice(0, describedMax)
      .map(({ said, whileStopped }) => (this.#isUnderHarm ? said : `${said}${whileStopped}`))
    const names = nameSome([...new Set(keys.map(({ tenant, path }) => tenant ?? path))], countNames(keys, total))
    const { service } = this.#terms
    const headline = {
      'HARM SUSPECTED': `by holdfast itself, or locks do not hold: ${names} of ${service}`,
      PAUSED: `${names} of ${service} may be paused`,
      DAMAGED: `${names} of ${service}`,
      STALE: service,
      INCONCLUSIVE: `${names} of ${service} could not be checked`,
    }[severity]
    const rest = total > sentences.length ? [`And ${total - sentences.length} more.`] : []
    return {
      severity,
      subject,
      headline: subject === takenBackSubject ? `the remedy of ${names} of ${service} was taken back` : headline,
      text: [subject === takenBackSubject ? takenBackLead : lead[severity], ...sentences, ...rest].join('\n'),
      since: null,
      tenants: files.slice(0, tenantsMax).map(({ tenant }) => tenant),
      keys,
      tenantsTotal: total,
      command:
        files.find(({ command }) => command !== null)?.command ??
        withConfiguration('holdfast status', this.#terms.config),
    }
  }

  /** Then the only commands are those that change nothing and check nothing. */
  get #isUnderHarm(): boolean {
    return this.#terms.isHarmStanding || this.#isHarmed || (this.#seen.get('HARM SUSPECTED')?.total ?? 0) > 0
  }

  /** A stop that no result stands for. */
  #stops({ stopped }: EndedRun): readonly Condition[] {
    if (stopped === null || this.#isHarmed || !isHarmfulStop(stopped)) return []
    this.#isHarmed = true
    return [stopCondition(stopped, this.#terms)]
  }

  #failedRun({ failure, counts }: EndedRun): readonly Condition[] {
    const isTold = failure?.tenantState === 'maybe-paused' && (this.#seen.get('PAUSED')?.total ?? 0) > 0
    return failure === null || isTold ? [] : failedRunConditions(failure, counts, this.#terms)
  }
}

/** True for a sweep of all tenants at full depth that reached each of them. One that was not due counts as reached. */
const coversAll = ({ whole, counts, failure }: EndedRun): boolean =>
  whole &&
  failure === null &&
  counts !== null &&
  counts.selected + (counts.notDue ?? 0) > 0 &&
  counts.covered === counts.selected

/** True for a sweep that covers all, if each of its files was found sound or damaged. Then a heartbeat may be sent. */
export const settlesAll = (ending: EndedRun): boolean => coversAll(ending) && (ending.counts?.unsettled ?? 0) === 0
