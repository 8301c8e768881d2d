/**
 * What an agent remembers of the fences that it was given. Within one epoch they only grow. A lower one shows that the
 * database was rolled back without a change of epoch, as by the snapshot of a virtual machine. Slots that are in use
 * may then be missing.
 */
import type { TakenSlot } from './slot-permit.ts'

interface HighestFence {
  readonly epoch: string
  readonly generation: number
  readonly fence: bigint
}

export class FenceMemory {
  #seen: HighestFence | null = null

  /** What was seen before a question was sent. Answers to questions that cross may come in any order. */
  mark(): HighestFence | null {
    return this.#seen
  }

  /** The highest that was seen. */
  get generation(): number {
    return this.#seen?.generation ?? 0
  }

  /**
   * @param before what `mark` gave before the question was sent
   * @returns false if the database has forgotten what it gave out before
   */
  accept({ epoch, generation, rows }: TakenSlot, before: HighestFence | null): boolean {
    const fences = rows.map(({ fence }) => BigInt(fence))
    const lowest = fences.reduce((least, fence) => (fence < least ? fence : least))
    const highest = fences.reduce((most, fence) => (fence > most ? fence : most))
    if (before !== null && before.epoch === epoch) {
      if (generation < before.generation) return false
      if (generation === before.generation && lowest <= before.fence) return false
    }
    const seen = this.#seen
    const isNewer =
      seen === null ||
      seen.epoch !== epoch ||
      generation > seen.generation ||
      (generation === seen.generation && highest > seen.fence)
    if (isNewer) this.#seen = { epoch, generation, fence: highest }
    return true
  }
}
