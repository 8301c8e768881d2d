/**
 * How many snapshots may lie on the disk at the same time, and how many bytes of them. Bytes are reserved before the
 * first is copied: a disk that holdfast fills is full for the service too.
 */

import type { RunLimits } from './begin/run-context.ts'

/** What one tenant has reserved: a number of snapshots, and their bytes. */
export interface Reservation {
  /** Bytes of all other reservations. */
  readonly othersBytes: number
  /**
   * Reserves so many bytes in all, in the place of those that were reserved before. Any number fits if nothing else is
   * reserved. Zero bytes always fit.
   * @returns null if they are reserved now; else a promise that resolves when they are, and rejects with the reason of
   * the signal. While it waits, it has no bytes reserved.
   */
  reserveBytes(bytes: number, signal: AbortSignal): Promise<void> | null
  /**
   * Adds bytes until the returned object is disposed of: for files beside the snapshots. Does not wait, because whoever
   * has the bytes may wait for the same.
   * @returns null if they do not fit beside other reservations
   */
  addBytes(bytes: number): Disposable | null
  /** Sets the bytes to what the snapshots turned out to have. Does not wait. */
  setBytes(bytes: number): void
  /** One snapshot is deleted: releases it with its bytes. After the last one nothing is reserved any more. */
  releaseSnapshot(bytes: number): void
  releaseAll(): void
}

export class DiskBudget {
  readonly #limits: Pick<RunLimits, 'snapshotsMax' | 'snapshotBytesMax'>
  readonly #snapshotQueue = new ReservationQueue()
  readonly #byteQueue = new ReservationQueue()
  #snapshots = 0
  #bytes = 0

  constructor(limits: Pick<RunLimits, 'snapshotsMax' | 'snapshotBytesMax'>) {
    this.#limits = limits
  }

  /**
   * Waits until so many more snapshots may lie on the disk. Any number may if there is no other.
   * @throws the reason of the signal
   */
  async reserveSnapshots(snapshots: number, signal: AbortSignal): Promise<Reservation> {
    await this.#snapshotQueue.take(() => {
      if (this.#snapshots > 0 && this.#snapshots + snapshots > this.#limits.snapshotsMax) return false
      this.#snapshots += snapshots
      return true
    }, signal)
    return this.#newReservation(snapshots)
  }

  #newReservation(snapshots: number): Reservation {
    let ownBytes = 0
    let besideBytes = 0
    let snapshotsLeft = snapshots
    const change = (bytes: number): void => {
      this.#bytes += bytes - ownBytes
      ownBytes = bytes
    }
    const othersBytes = (): number => this.#bytes - ownBytes - besideBytes
    const tryReserve = (bytes: number): boolean => {
      const fits = othersBytes() <= 0 || othersBytes() + bytes <= this.#limits.snapshotBytesMax
      if (bytes > ownBytes && !fits) return false
      change(bytes)
      return true
    }
    const addBytes = (bytes: number): Disposable | null => {
      if (othersBytes() > 0 && this.#bytes + bytes > this.#limits.snapshotBytesMax) return null
      this.#bytes += bytes
      besideBytes += bytes
      return {
        [Symbol.dispose]: () => {
          this.#bytes -= bytes
          besideBytes -= bytes
          this.#byteQueue.serve()
        },
      }
    }
    const setBytes = (bytes: number): void => {
      change(bytes)
      this.#byteQueue.serve()
    }
    const release = (released: number, bytesLeft: number): void => {
      if (snapshotsLeft === 0) return
      snapshotsLeft -= released
      change(snapshotsLeft === 0 ? 0 : bytesLeft)
      this.#snapshots -= released
      this.#byteQueue.serve()
      this.#snapshotQueue.serve()
    }
    return {
      get othersBytes() {
        return othersBytes()
      },
      reserveBytes: (bytes, signal) => {
        if (bytes <= ownBytes) {
          setBytes(bytes)
          return null
        }
        const wait = this.#byteQueue.take(() => tryReserve(bytes), signal)
        // Two reservations that kept what they have and waited for more would wait for each other.
        if (wait) setBytes(0)
        return wait
      },
      addBytes,
      setBytes,
      releaseSnapshot: (bytes) => release(1, ownBytes - bytes),
      releaseAll: () => release(snapshotsLeft, 0),
    }
  }
}

/** First come, first served: small snapshots do not keep passing a large one by. */
class ReservationQueue {
  readonly #waiting: { readonly tryTake: () => boolean; readonly go: () => void }[] = []

  /**
   * @param tryTake takes what is wanted and returns true, or returns false
   * @returns null if it was taken; else a promise that resolves when it is, and rejects with the reason of the signal
   */
  take(tryTake: () => boolean, signal: AbortSignal): Promise<void> | null {
    signal.throwIfAborted()
    if (this.#waiting.length === 0 && tryTake()) return null
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1)
        reject(signal.reason as Error)
      }
      const waiter = {
        tryTake,
        go: (): void => {
          signal.removeEventListener('abort', giveUp)
          resolve()
        },
      }
      signal.addEventListener('abort', giveUp, { once: true })
      this.#waiting.push(waiter)
    })
  }

  /** To be called after each release. */
  serve(): void {
    while (this.#waiting[0]?.tryTake()) this.#waiting.shift()?.go()
  }
}
