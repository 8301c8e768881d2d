/** Brings alarms to the sinks: in turn for each sink, beside each other for different ones, with retries and limits. */

import { monotonicMs, sleep } from '../host/clock.ts'
import { count } from '../text/count.ts'
import type { Alarm } from './alarm.ts'
import type { SinkAnswer } from './sinks/sink-answer.ts'
import type { Heartbeat, Sink } from './sinks/sink.ts'

/** A message could quote an address, so only the kind of the error is named. */
const defect = (error: unknown): SinkAnswer => ({
  ok: false,
  why: `a defect in holdfast (${error instanceof Error ? error.name : typeof error})`,
})

/** How long one alarm may take to reach one sink, with all attempts, from the moment when it was raised. */
const withinMs = 30_000
/** Pauses between attempts. After the last one the next run tries again. */
const pausesMs: readonly number[] = [1_000, 3_000]

/** One attempt, for the log. */
export interface SendAttempt {
  readonly sink: string
  /** The id of the alarm, or `heartbeat`. */
  readonly alarm: string
  readonly attempt: number
  /** Null if the sink took it. */
  readonly why: string | null
}

export interface DeliveryObserver {
  readonly onAttempt: (attempt: SendAttempt) => void
  /** Called when a sink has taken an alarm. */
  readonly onDelivered: (alarm: Alarm, sink: Sink) => Promise<void>
}

/** Alarms that a sink did not take. */
interface UndeliveredAlarms {
  readonly sink: Sink
  alarms: number
  why: string
}

export class Delivery {
  readonly #observer: DeliveryObserver
  /** The last thing that each sink does. */
  readonly #turns = new Map<string, Promise<void>>()
  readonly #missed = new Map<string, UndeliveredAlarms>()
  readonly #underWay = new Map<string, Sink>()

  constructor(observer: DeliveryObserver) {
    this.#observer = observer
  }

  /** Begins to send an alarm. Resolves to whether the sink took it. */
  send(sink: Sink, alarm: Alarm): Promise<boolean> {
    const untilMs = monotonicMs() + withinMs
    const before = this.#turns.get(sink.name) ?? Promise.resolve()
    this.#underWay.set(sink.name, sink)
    const sent = before.then(() => this.#deliver(sink, alarm, untilMs))
    const turn = sent.then(() => {
      if (this.#turns.get(sink.name) === turn) this.#underWay.delete(sink.name)
    })
    this.#turns.set(sink.name, turn)
    return sent
  }

  /** Resolves when every sink has taken or refused what it was sent. */
  async done(): Promise<void> {
    await Promise.all(this.#turns.values())
  }

  /** Asks for the address of a heartbeat. @returns why it did not answer; null if it did */
  async ping(heartbeat: Heartbeat): Promise<string | null> {
    const untilMs = monotonicMs() + withinMs
    const sent = await this.#attempts(heartbeat.name, 'heartbeat', (signal) => heartbeat.ping(signal), untilMs)
    return sent.ok ? null : `${heartbeat.name} did not answer: ${sent.why}`
  }

  /** A sentence for each sink that did not take an alarm, and for each that still has to. */
  get complaints(): readonly string[] {
    const missed = [...this.#missed.values()].map(
      ({ sink, alarms, why }) =>
        `${sink.name} did not take ${count(alarms, 'alarm')}: ${why}; the next run tries again`,
    )
    const waiting = [...this.#underWay.values()].filter(({ name }) => !this.#missed.has(name))
    return [...missed, ...waiting.map(({ name }) => `${name} has not taken its alarms yet; holdfast tries on`)]
  }

  async #deliver(sink: Sink, alarm: Alarm, untilMs: number): Promise<boolean> {
    const sent = await this.#attempts(sink.name, alarm.id, (signal) => sink.send(alarm, signal), untilMs)
    if (sent.ok) {
      await this.#observer.onDelivered(alarm, sink)
      return true
    }
    const missed = this.#missed.get(sink.name) ?? { sink, alarms: 0, why: '' }
    missed.alarms++
    missed.why = sent.why
    this.#missed.set(sink.name, missed)
    return false
  }

  async #attempts(
    sink: string,
    alarm: string,
    send: (signal: AbortSignal) => Promise<SinkAnswer>,
    untilMs: number,
  ): Promise<SinkAnswer> {
    let last: SinkAnswer = { ok: false, why: 'there was no time left for it' }
    for (let attempt = 1; attempt <= pausesMs.length + 1; attempt++) {
      const leftMs = untilMs - monotonicMs()
      if (leftMs <= 0) break
      last = await send(AbortSignal.timeout(Math.ceil(leftMs))).catch(defect)
      this.#observer.onAttempt({ sink, alarm, attempt, why: last.ok ? null : last.why })
      if (last.ok) break
      const pauseMs = pausesMs[attempt - 1]
      if (pauseMs !== undefined) await sleep(Math.min(pauseMs, Math.max(0, untilMs - monotonicMs())))
    }
    return last
  }
}
