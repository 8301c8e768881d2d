/** How many snapshots, and how many bytes of them, may lie on the disk at once. */
import { setTimeout as timer } from 'node:timers/promises'
import type { RunLimits } from './crew.ts'

export interface Place {
  /** Says how many bytes the snapshot has come to. */
  fill(bytes: number): void
  leave(): void
}

export class SnapshotRoom {
  readonly #limits: Pick<RunLimits, 'snapshotsMax' | 'snapshotBytesMax'>
  #snapshots = 0
  #bytes = 0
  #freed: () => void = () => undefined

  constructor(limits: Pick<RunLimits, 'snapshotsMax' | 'snapshotBytesMax'>) {
    this.#limits = limits
  }

  /** Waits until there is room for one more; null when the signal aborts first. A single snapshot always fits. */
  async enter(signal: AbortSignal): Promise<Place | null> {
    while (!signal.aborted && this.#snapshots > 0 && (this.#snapshots >= this.#limits.snapshotsMax || this.#bytes >= this.#limits.snapshotBytesMax)) {
      await Promise.race([new Promise<void>((resolve) => (this.#freed = resolve)), aborted(signal)])
    }
    if (signal.aborted) return null
    this.#snapshots++
    return this.#place()
  }

  #place(): Place {
    let bytes = 0
    let entered = true
    return {
      fill: (filled) => {
        this.#bytes += filled - bytes
        bytes = filled
      },
      leave: () => {
        if (!entered) return
        entered = false
        this.#snapshots--
        this.#bytes -= bytes
        this.#freed()
      },
    }
  }
}

/** Resolves when the signal aborts; looks now and then, so that a waiting line leaves no listeners behind. */
async function aborted(signal: AbortSignal): Promise<void> {
  await timer(200, undefined, { ref: false })
  if (signal.aborted) return
}
