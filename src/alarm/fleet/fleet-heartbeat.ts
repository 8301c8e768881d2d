/** The heartbeats of a coordinator's configuration. */
import type { AlertSink } from '../../config/settings.ts'
import { Delivery } from '../delivery.ts'
import { heartbeatsIn } from '../sinks/sink.ts'

/** @returns asks for each address, and resolves to what did not answer; null if the configuration has none */
export function fleetHeartbeat(alerts: readonly AlertSink[]): (() => Promise<readonly string[]>) | null {
  const heartbeats = heartbeatsIn(alerts)
  if (heartbeats.length === 0) return null
  return async () => {
    const delivery = new Delivery({ onAttempt: () => undefined, onDelivered: () => Promise.resolve() })
    const missed = await Promise.all(heartbeats.map((one) => delivery.ping(one)))
    return missed.filter((why) => why !== null)
  }
}
