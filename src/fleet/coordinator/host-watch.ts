/**
 * Watches whether hosts are still seen. It compares what the database says now with what it said before, on the
 * monotonic clock of this process: a wall clock that is stepped makes no host look silent.
 */

/** A host that was not seen for so long is silent. Its agent shows itself every few seconds. */
export const silentAfterMs = 30 * 60_000
/** After a longer time without a look, as while the database was away, the watch of all hosts begins anew. */
const blindMsMax = 60_000

export interface SeenHost {
  readonly name: string
  readonly seen_at: Date
}

interface Sighting {
  readonly seenAt: number
  readonly sinceMs: number
}

export class HostWatch {
  readonly #now: () => number
  #sightings: ReadonlyMap<string, Sighting> = new Map()
  #lookedAtMs = -Infinity

  /** @param now a clock in ms that never jumps */
  constructor(now: () => number) {
    this.#now = now
  }

  /** @param hosts all of the fleet, as the database has them now */
  look(hosts: readonly SeenHost[]): void {
    const now = this.#now()
    const wasBlind = now - this.#lookedAtMs > blindMsMax
    this.#lookedAtMs = now
    this.#sightings = new Map(
      hosts.map(({ name, seen_at }) => {
        const seenAt = seen_at.getTime()
        const before = this.#sightings.get(name)
        return [name, !wasBlind && before?.seenAt === seenAt ? before : { seenAt, sinceMs: now }]
      }),
    )
  }

  /** True if the host was not seen although this process watched for long enough, or if it is not of the fleet. */
  isSilent(host: string): boolean {
    const sighting = this.#sightings.get(host)
    return sighting === undefined || this.#now() - sighting.sinceMs >= silentAfterMs
  }

  get names(): readonly string[] {
    return [...this.#sightings.keys()]
  }
}
