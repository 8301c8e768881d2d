/**
 * Shows the fleet that this host is there, and keeps the list of its tenants up to date. Whatever fails is tried again:
 * an agent that cannot reach the database or its service goes on as soon as it can.
 */

import { monotonicMs, sleep } from '../../host/clock.ts'
import { Failure } from '../../model/failure.ts'
import { orFailure } from '../../model/or-failure.ts'
import { connectService, type ServiceSettings } from '../../service/connect.ts'
import type { FleetDatabase } from '../database/database.ts'
import type { OutboxSize } from '../results/outbox.ts'
import { showHost, type ThisHost } from './host-registration.ts'
import { registerOwnPlaces } from './place-registration.ts'

export interface HostHeartbeatOptions {
  readonly database: FleetDatabase
  readonly host: ThisHost
  readonly service: ServiceSettings
  readonly outboxSize: () => OutboxSize
  /** Why this host does not work as it should; null if it does. */
  readonly complaint: () => string | null
  /** Called after the database has answered. */
  readonly onSeen: () => Promise<void>
  readonly say: (sentence: string) => void
}

const everyMs = 15_000
/** Tenants come and go. */
const placesEveryMs = 10 * 60_000
/** A service that does not answer is asked again sooner. */
const placesAgainMs = 60_000

export class HostHeartbeat {
  readonly #with: HostHeartbeatOptions
  #clockSkewMs = 0
  #placesDueMs = 0
  /** Why the agent cannot report now; null if it can. It is said once. */
  #showFailure: Failure | null = null
  /** What was said last about the list of tenants; the same is not said again. */
  #placeNotice: string | null = null

  constructor(options: HostHeartbeatOptions) {
    this.#with = options
  }

  /** Goes on until the signal aborts. @throws {Failure} FLEET_HOST_TAKEN; LEDGER_UNUSABLE */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#beat(signal)
      await sleep(everyMs, signal).catch(() => undefined)
    }
  }

  async #beat(signal: AbortSignal): Promise<void> {
    const seen = await orFailure(this.#show(signal))
    if (seen instanceof Failure && ['FLEET_HOST_TAKEN', 'LEDGER_UNUSABLE'].includes(seen.code)) throw seen
    const failure = seen instanceof Failure ? seen : null
    if (failure !== null && this.#showFailure === null)
      this.#with.say(`holdfast: the agent cannot report: ${failure.message}; ${failure.hint}`)
    if (failure === null && this.#showFailure !== null)
      this.#with.say('holdfast: the database of the fleet answers again')
    this.#showFailure = failure
  }

  async #show(signal: AbortSignal): Promise<void> {
    const { database, host, outboxSize, complaint, onSeen } = this.#with
    const askedAt = Date.now()
    const facts = { outbox: outboxSize(), clockSkewMs: this.#clockSkewMs, said: complaint() ?? this.#placeNotice }
    const { databaseAt, isNew } = await showHost(database, host, facts)
    if (isNew) this.#placesDueMs = 0 // The database may have lost them, or has them marked as gone.
    this.#clockSkewMs = (askedAt + Date.now()) / 2 - databaseAt
    await onSeen()
    if (monotonicMs() >= this.#placesDueMs) await this.#registerOwnPlaces(signal)
  }

  async #registerOwnPlaces(signal: AbortSignal): Promise<void> {
    const registered = await orFailure(this.#listPlaces(signal))
    if (signal.aborted) return
    if (registered instanceof Failure && registered.code.startsWith('FLEET_')) throw registered
    const notice = registered instanceof Failure ? registered.message : registered
    this.#placesDueMs = monotonicMs() + (registered instanceof Failure ? placesAgainMs : placesEveryMs)
    if (notice !== null && notice !== this.#placeNotice) this.#with.say(`holdfast: the list of tenants: ${notice}`)
    this.#placeNotice = notice
  }

  async #listPlaces(signal: AbortSignal): Promise<string | null> {
    const { database, host, service: settings } = this.#with
    await using service = await connectService(settings)
    return await registerOwnPlaces({ database, host: host.name, service: settings.name }, service, signal)
  }
}
