/**
 * The alarm of a coordinator that cannot reach or use the database. It cannot be stored there, so each coordinator
 * sends its own, once each time.
 */
import { newRunId } from '../../ledger/run-lock/run-id.ts'
import type { Failure } from '../../model/failure.ts'
import { conditionOf } from '../alarms/condition.ts'
import type { FleetAlarm, SendFleetAlarm } from '../alarms/send-conditions.ts'

/** A restart or a failover takes less. */
const blindMs = 5 * 60_000

export class DatabaseAlarm {
  readonly #send: SendFleetAlarm
  #sent: FleetAlarm | null = null

  constructor(send: SendFleetAlarm) {
    this.#send = send
  }

  /** @param forMs how long it has not worked */
  async consider(failure: Failure, forMs: number): Promise<void> {
    if (this.#sent !== null || forMs < blindMs) return
    const text = `The coordinator cannot use the database of the fleet: ${failure.message}. Nothing new begins.`
    const { body } = conditionOf('blind', '', '', { severity: 'stale', text, command: 'holdfast fleet status' })
    const about = { severity: 'stale', over: null, service: null } as const
    const since = new Date(Date.now() - forMs)
    this.#sent = { id: newRunId(), ...about, since, conditions: [body] }
    await this.#send(this.#sent)
  }

  worksAgain(): void {
    if (this.#sent === null) return
    const { since, conditions } = this.#sent
    this.#sent = null
    const bodies = conditions.map((body) => ({ ...body, severity: 'recovered', over: 'stale', text: null }) as const)
    void this.#send({ id: newRunId(), severity: 'recovered', over: 'stale', service: null, since, conditions: bodies })
  }
}
