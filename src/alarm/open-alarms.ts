/**
 * The alarms of one run. Whatever a sink does changes no verdict and no exit code, and nothing waits for it for long.
 * What goes wrong here is said once, and tried again by the next run.
 */

import { once } from 'node:events'
import { hostname } from 'node:os'
import type { Settings } from '../config/settings.ts'
import { startDeadline } from '../host/clock.ts'
import { newRunId } from '../ledger/run-lock/run-id.ts'
import type { RunId } from '../model/brand.ts'
import type { RemedyResult } from '../model/result/remedy.ts'
import type { Result } from '../model/result/report.ts'
import type { Absence } from '../report/status/absences.ts'
import { withConfiguration } from '../report/text/hint.ts'
import type { OpenHoldOutcome } from '../runs/open-holds/open-holds.ts'
import { printableInUtf8 } from '../text/printable.ts'
import type { Alarm } from './alarm.ts'
import type { LedgerFacts, RunAlarms, EndedRun } from './alarms.ts'
import { fileKey, type ClearedConditions, type Condition } from './condition.ts'
import { ConditionsOfRun, settlesAll } from './conditions-of-run.ts'
import { Delivery, type SendAttempt } from './delivery.ts'
import { fold, type OutgoingAlarm, type AlarmSource } from './fold.ts'
import { heartbeatsIn, alertKindOf, sinksIn, sinkGetsAll, type Sink } from './sinks/sink.ts'
import {
  boundedState,
  isContradicted,
  recordDelivery,
  noState,
  stillHolds,
  type AlarmState,
  type PendingAlarm,
} from './state/alarm-state.ts'
import { changeState, loadState } from './state/state-file.ts'

export interface AlarmTerms {
  readonly run: RunId
  readonly mode: string
  /** The configuration that commands must name; null if they find it. */
  readonly config: string | null
  /** The time in ms since 1970. */
  readonly now: () => number
  /** Called with each sentence about alarms that did not arrive, when that is certain. */
  readonly onComplaint: (sentence: string) => void
  readonly onAttempt: (attempt: SendAttempt) => void
  /** Absences that the ledger does not know. */
  readonly known: readonly Absence[]
  /** Reads what the ledger knows, for a run that could not tell it; null if it cannot be read. */
  readonly learn: (paused: readonly string[]) => Promise<LedgerFacts | null>
}

type AlarmSettings = Pick<Settings, 'alerts' | 'service' | 'ledger'>

/** How long the report waits for the sinks. */
const reportWaitMs = 3_000

/** Reads the earlier alarms, and opens the sinks. Does not fail: without earlier alarms everything is sent. */
export async function openAlarms(settings: AlarmSettings, terms: AlarmTerms): Promise<RunAlarms> {
  const { state, why } = await loadState(settings.ledger.dir, settings.service.name)
  return new AlarmsOfRun(settings, terms, state, why)
}

class AlarmsOfRun implements RunAlarms {
  readonly #settings: AlarmSettings
  readonly #terms: AlarmTerms
  readonly #sinks: readonly Sink[]
  readonly #seen: ConditionsOfRun
  readonly #delivery: Delivery
  /** Alarms that were sent in this run. */
  readonly #sent = new Set<string>()
  readonly #stateComplaints = new Set<string>()
  /** Each change of the state comes after the one before. */
  #turn: Promise<void> = Promise.resolve()
  /** Tenants of earlier alarms that may be paused. */
  readonly #paused: readonly string[]
  #incident: string | null = null
  #learned: LedgerFacts | null = null
  #allTaken = true

  constructor(settings: AlarmSettings, terms: AlarmTerms, { standing }: AlarmState, unread: string | null) {
    this.#settings = settings
    this.#terms = terms
    this.#sinks = sinksIn(settings.alerts)
    const { mode, config } = terms
    const paused = standing.flatMap(({ severity, keys }) => (severity === 'PAUSED' ? keys : []))
    this.#paused = [...new Set(paused.flatMap(({ tenant }) => tenant ?? []))]
    const watched = new Set(standing.flatMap(({ keys }) => keys.map(fileKey)))
    const isHarmStanding = standing.some(({ severity }) => severity === 'HARM SUSPECTED')
    this.#seen = new ConditionsOfRun({ mode, config, service: settings.service.name, watched, isHarmStanding })
    this.#delivery = new Delivery({
      onAttempt: terms.onAttempt,
      onDelivered: ({ id }, { key }) => this.#change((state) => recordDelivery(state, id, key)),
    })
    if (unread !== null) this.#stateComplaints.add(`the earlier alarms cannot be read, all are sent again: ${unread}`)
  }

  consider(result: Result): void {
    this.#raiseNow(this.#seen.consider(result))
  }

  revise(result: Result, before: Pick<Result, 'verdict' | 'failure'>): void {
    this.#seen.forget(result, before)
    this.consider(result)
  }

  culprit(result: Result): void {
    this.#raiseNow(this.#seen.culprit(result))
  }

  considerRemedy(result: RemedyResult): void {
    this.#raiseNow(this.#seen.considerRemedy(result))
  }

  considerEndings(endings: readonly OpenHoldOutcome[]): void {
    this.#raiseNow(this.#seen.considerEndings(endings))
  }

  async learn(read: (paused: readonly string[]) => Promise<LedgerFacts>): Promise<void> {
    this.#learned = await read(this.#paused)
  }

  joinIncident(incident: string): void {
    this.#incident = incident
  }

  async end(ending: EndedRun): Promise<readonly string[]> {
    const learned = this.#learned ?? (await this.#terms.learn(this.#paused))
    const seen = this.#seen.end(ending, learned, this.#terms.known)
    await this.#raise(seen)
    const finished = this.#finish(settlesAll(ending))
    // The report does not wait for a sink that hangs.
    using limit = startDeadline(reportWaitMs)
    await Promise.race([finished, once(limit.signal, 'abort')])
    return [...this.#stateComplaints, ...this.#delivery.complaints]
  }

  #raiseNow(condition: Condition | null): void {
    if (condition !== null) void this.#raise({ conditions: [condition], cleared: null })
  }

  /**
   * Begins to send what is new. What has to be sent is on the disk first, so that the next run sends it if this one is
   * killed. At the end of the run what earlier runs have left goes first: a recovery must not come before its alarm.
   */
  async #raise(seen: {
    readonly conditions: readonly Condition[]
    readonly cleared: ClearedConditions | null
  }): Promise<void> {
    let outgoing: readonly OutgoingAlarm[] = []
    let waiting: readonly PendingAlarm[] = []
    await this.#change((state) => {
      const folded = fold(state.standing, seen, this.#source())
      outgoing = folded.outgoing
      const earlier = state.pending.filter((one) => stillHolds(one, folded.standing))
      waiting = seen.cleared === null ? [] : earlier.filter((one) => this.#maySend(one, folded.standing))
      const since = this.#terms.now()
      const pending = outgoing.map((one) => ({ ...one, since, sinks: this.#sinksFor(one).map(({ key }) => key) }))
      return { standing: folded.standing, pending: [...earlier, ...pending] }
    })
    for (const one of waiting) this.#send(one, one.sinks)
    for (const one of outgoing) this.#send(one, null)
  }

  #maySend(one: PendingAlarm, standing: AlarmState['standing']): boolean {
    return !this.#sent.has(one.alarm.id) && !isContradicted(one, standing)
  }

  /** @param keys of the sinks that did not take it yet; null for all */
  #send(one: OutgoingAlarm, keys: readonly string[] | null): void {
    this.#sent.add(one.alarm.id)
    for (const sink of this.#sinksFor(one))
      if (keys === null || keys.includes(sink.key)) void this.#deliver(sink, one.alarm)
  }

  async #deliver(sink: Sink, alarm: Alarm): Promise<void> {
    if (!(await this.#delivery.send(sink, alarm))) this.#allTaken = false
  }

  #sinksFor({ severities }: OutgoingAlarm): readonly Sink[] {
    return this.#sinks.filter((sink) => sinkGetsAll(sink, severities.map(alertKindOf)))
  }

  /** Waits for the sinks, which have limits, and says what did not arrive. */
  async #finish(allSettled: boolean): Promise<void> {
    await this.#delivery.done()
    const missed = allSettled ? await this.#ping() : []
    for (const sentence of [...this.#stateComplaints, ...this.#delivery.complaints, ...missed])
      this.#terms.onComplaint(sentence)
  }

  /** A heartbeat says that all is known: it stays away while an alarm has not arrived. */
  async #ping(): Promise<readonly string[]> {
    const heartbeats = heartbeatsIn(this.#settings.alerts)
    if (!this.#allTaken)
      return heartbeats.map(({ name }) => `${name} was left out, because an alarm did not arrive: its absence tells it`)
    const missed = await Promise.all(heartbeats.map((one) => this.#delivery.ping(one)))
    return missed.filter((why) => why !== null)
  }

  /** Changes the state on the disk, in turn. If it cannot be written, alarms go out all the same. */
  #change(change: (state: AlarmState) => AlarmState): Promise<void> {
    const { ledger, service } = this.#settings
    const sinks = new Set(this.#sinks.map(({ key }) => key))
    const turn = this.#turn.then(async () => {
      let isChanged = false
      const next = (state: AlarmState): AlarmState => {
        isChanged = true
        return boundedState(change(state), sinks, this.#terms.now())
      }
      const unwritten = await changeState(ledger.dir, service.name, next).catch((error: unknown) => {
        if (!isChanged) next(noState)
        return error instanceof Error ? error.message : 'a defect in holdfast'
      })
      if (unwritten !== null)
        this.#stateComplaints.add(`the alarms cannot be recorded, the next run sends them again: ${unwritten}`)
    })
    this.#turn = turn
    return turn
  }

  #source(): AlarmSource {
    const { now, run, config } = this.#terms
    const at = now()
    return {
      service: this.#settings.service.name,
      host: printableInUtf8(hostname()),
      incident: this.#incident,
      run,
      now: at,
      newId: () => newRunId(at),
      statusCommand: withConfiguration('holdfast status', config),
    }
  }
}
