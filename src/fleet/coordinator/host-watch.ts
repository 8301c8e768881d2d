/**
 * Watches whether hosts are still seen. It compares what the database says now with what it said before, on the
 * monotonic clock of this process. A wall clock that is stepped makes no host look silent.
 */

/** A host that was not seen for so long is silent. Its agent shows itself every 15 s. */
export const silentAfterMs = 30 * 60_000
/** A longer time without a look, as while the database is away, does not count. */
const blindMsMax = 60_000

export interface SeenHost {
  readonly name: string
  readonly seen_at: Date
}

interface Sighting {
  readonly seenAt: number
  /** Since when it was watched, less the times that do not count. */
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
    const passedMs = now - this.#lookedAtMs
    const blindMs = passedMs > blindMsMax ? passedMs : 0
    this.#lookedAtMs = now
    this.#sightings = new Map(
      hosts.map(({ name, seen_at }) => {
        const seenAt = seen_at.getTime()
        const before = this.#sightings.get(name)
        return [name, { seenAt, sinceMs: before?.seenAt === seenAt ? before.sinceMs + blindMs : now }]
      }),
    )
  }

  /**
   * True if the last look did not see the host, although this process had watched for long enough. Also true if the
   * host is not of the fleet.
   */
  isSilent(host: string): boolean {
    const sighting = this.#sightings.get(host)
    return sighting === undefined || this.#lookedAtMs - sighting.sinceMs >= silentAfterMs
  }

  get names(): readonly string[] {
    return [...this.#sightings.keys()]
  }
}
