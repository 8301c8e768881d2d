/** The files of one side, acquired when the comparison comes to them. */

import { invariant } from '../../model/bug.ts'
import type { NonEmpty } from '../../model/result/verdict.ts'
import type { AcquiredFile } from '../acquire-file.ts'
import type { Target } from '../begin/target.ts'
import type { GivenSide } from './sides.ts'

/**
 * Acquires files of a side: those of a tenant that are still to be compared, in one hold; else one file.
 * @param name as `draftName` makes it
 */
export type AcquireFiles<Side extends GivenSide> = (
  side: Side,
  targets: NonEmpty<Target>,
  name: string,
) => Promise<readonly AcquiredFile[]>

/**
 * All files of a tenant are acquired with the first: the tenant is paused once, and its snapshots are of one moment.
 * Disposing deletes the snapshots that were not taken.
 */
export class SideFiles<Side extends GivenSide> implements AsyncDisposable {
  readonly #side: Side
  readonly #acquire: AcquireFiles<Side>
  /** In the order in which they are compared. */
  readonly #targets: readonly Target[]
  readonly #acquiredAhead = new Map<Target, AcquiredFile>()

  constructor(side: Side, acquire: AcquireFiles<Side>, targets: readonly Target[]) {
    this.#side = side
    this.#acquire = acquire
    this.#targets = targets
  }

  /** The caller disposes of the file. @throws {Failure} INTERRUPTED */
  async take(target: Target, name: string): Promise<AcquiredFile> {
    const ahead = this.#acquiredAhead.get(target)
    this.#acquiredAhead.delete(target)
    if (ahead !== undefined) return ahead
    const later = this.#side.kind === 'tenant' ? this.#targets.slice(this.#targets.indexOf(target) + 1) : []
    const [acquired, ...others] = await this.#acquire(this.#side, [target, ...later], name)
    later.forEach((one, at) => {
      const other = others[at]
      if (other) this.#acquiredAhead.set(one, other)
    })
    invariant(acquired, 'each target that is acquired has an outcome')
    return acquired
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const file of this.#acquiredAhead.values()) await file[Symbol.asyncDispose]()
    this.#acquiredAhead.clear()
  }
}
