/** How many snapshots, and how many bytes of them, may lie on the disk at once. Room is asked for before the first byte is copied: what fills the disk fills it for the service too. */
import type { RunLimits } from './crew.ts'

export interface Place {
  /**
   * Asks for room for so many bytes, whatever was reserved here before. A snapshot always fits when there is no other.
   * @returns null where there is room; else the wait for it, which throws the reason of the signal
   */
  reserve(bytes: number, signal: AbortSignal): Promise<void> | null
  leave(): void
}

export class SnapshotRoom {
  readonly #limits: Pick<RunLimits, 'snapshotsMax' | 'snapshotBytesMax'>
  readonly #forPlace = new WaitingLine()
  readonly #forBytes = new WaitingLine()
  #snapshots = 0
  #bytes = 0

  constructor(limits: Pick<RunLimits, 'snapshotsMax' | 'snapshotBytesMax'>) {
    this.#limits = limits
  }

  /** Waits until there may be one more. @throws the reason of the signal */
  async enter(signal: AbortSignal): Promise<Place> {
    await this.#forPlace.pass(() => {
      if (this.#snapshots >= this.#limits.snapshotsMax) return false
      this.#snapshots++
      return true
    }, signal)
    return this.#place()
  }

  #place(): Place {
    let mine = 0
    let entered = true
    const set = (bytes: number): void => {
      this.#bytes += bytes - mine
      mine = bytes
    }
    return {
      reserve: (bytes, signal) => {
        set(0)
        this.#forBytes.move()
        return this.#forBytes.pass(() => {
          if (this.#bytes > 0 && this.#bytes + bytes > this.#limits.snapshotBytesMax) return false
          set(bytes)
          return true
        }, signal)
      },
      leave: () => {
        if (!entered) return
        entered = false
        set(0)
        this.#snapshots--
        this.#forBytes.move()
        this.#forPlace.move()
      },
    }
  }
}

/** Takes what it waits for, and says whether it could. */
type Take = () => boolean

/** Who waits is served in turn: small snapshots do not keep passing a large one by. */
class WaitingLine {
  readonly #waiting: { readonly take: Take; readonly go: () => void }[] = []

  /** @returns null where there is nothing to wait for; else the wait, which throws the reason of the signal */
  pass(take: Take, signal: AbortSignal): Promise<void> | null {
    signal.throwIfAborted()
    if (this.#waiting.length === 0 && take()) return null
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(one), 1)
        reject(signal.reason as Error)
        this.move()
      }
      const one = {
        take,
        go: (): void => {
          signal.removeEventListener('abort', giveUp)
          resolve()
        },
      }
      signal.addEventListener('abort', giveUp, { once: true })
      this.#waiting.push(one)
    })
  }

  /** Something was given back. */
  move(): void {
    while (this.#waiting[0]?.take()) this.#waiting.shift()?.go()
  }
}
