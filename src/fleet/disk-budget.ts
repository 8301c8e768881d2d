/**
 * How many snapshots, and how many bytes of them, may lie on the disk at once. Room is asked for before the first byte
 * is copied: what fills the disk fills it for the service too.
 */
import type { RunLimits } from './run/run-context.ts'

export interface Reservation {
  /** Bytes that all others have or have reserved. */
  readonly othersBytes: number
  /**
   * Asks for room for so many bytes in all. A snapshot always fits when there is no other, and so does one of no bytes.
   * @returns null where there is room; else the wait for it, which throws the reason of the signal. Who waits has
   * reserved nothing.
   */
  reserve(bytes: number, signal: AbortSignal): Promise<void> | null
  /** Says how many bytes it has come to. */
  fill(bytes: number): void
  /** One of its snapshots is gone, with so many bytes. The last one leaves the place. */
  release(bytes: number): void
  leave(): void
}

export class DiskBudget {
  readonly #limits: Pick<RunLimits, 'snapshotsMax' | 'snapshotBytesMax'>
  readonly #forPlace = new WaitingLine()
  readonly #forBytes = new WaitingLine()
  #snapshots = 0
  #bytes = 0

  constructor(limits: Pick<RunLimits, 'snapshotsMax' | 'snapshotBytesMax'>) {
    this.#limits = limits
  }

  /**
   * Waits until there may be so many more; however many they are, they may when there is no other.
   * @throws the reason of the signal
   */
  async enter(signal: AbortSignal, snapshots = 1): Promise<Reservation> {
    await this.#forPlace.pass(() => {
      if (this.#snapshots > 0 && this.#snapshots + snapshots > this.#limits.snapshotsMax) return false
      this.#snapshots += snapshots
      return true
    }, signal)
    return this.#place(snapshots)
  }

  #place(snapshots: number): Reservation {
    let mine = 0
    let left = snapshots
    const set = (bytes: number): void => {
      this.#bytes += bytes - mine
      mine = bytes
    }
    const others = (): number => this.#bytes - mine
    const take = (bytes: number): boolean => {
      if (bytes > mine && others() > 0 && others() + bytes > this.#limits.snapshotBytesMax) return false
      set(bytes)
      return true
    }
    const fill = (bytes: number): void => {
      set(bytes)
      this.#forBytes.move()
    }
    const leave = (gone: number, remaining: number): void => {
      if (left === 0) return
      left -= gone
      set(left === 0 ? 0 : remaining)
      this.#snapshots -= gone
      this.#forBytes.move()
      this.#forPlace.move()
    }
    return {
      get othersBytes() {
        return others()
      },
      reserve: (bytes, signal) => {
        if (bytes <= mine) {
          fill(bytes)
          return null
        }
        const room = this.#forBytes.pass(() => take(bytes), signal)
        // Two that have something and wait for more would wait for each other.
        if (room) fill(0)
        return room
      },
      fill,
      release: (bytes) => leave(1, mine - bytes),
      leave: () => leave(left, 0),
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
