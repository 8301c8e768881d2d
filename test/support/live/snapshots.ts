/** Takes pinned snapshots of a book one after the other, and judges each: is it a state that was, and not too old? */
import { setTimeout as sleep } from 'node:timers/promises'
import type { HoldFixture, HoldOptions } from '../hold/hold-fixture.ts'
import { judgeBook } from './book.ts'
import type { Crowd } from './crowd.ts'

export interface SnapshotsOptions {
  readonly fixture: HoldFixture
  readonly file: string
  readonly crowd: Pick<Crowd, 'acknowledged' | 'writers'>
  readonly count: number
  /** Ends early at this time of the monotonic clock, if it has `atLeast` by then; default: 0. */
  readonly untilMs: number
  readonly atLeast?: number
  readonly hold?: HoldOptions
}

export interface TakenSnapshots {
  readonly taken: number
  /** What was wrong with each snapshot that is no state that was, or that is older than what was acknowledged. */
  readonly wrong: readonly string[]
  /** Why there was no snapshot, by failure code, with how often. */
  readonly withoutSnapshot: Readonly<Record<string, number>>
  readonly branches: Readonly<Record<string, number>>
  /** How long the locks stood, in ms, the shortest first. */
  readonly heldMs: readonly number[]
  /** Snapshots whose mark was 0 frames. */
  readonly emptyWal: number
}

export async function takeSnapshots(options: SnapshotsOptions): Promise<TakenSnapshots> {
  const { fixture, file, crowd, count, untilMs, atLeast: enough = 0 } = options
  const wrong: string[] = []
  const failures: Record<string, number> = {}
  const branches: Record<string, number> = {}
  const heldMs: number[] = []
  let emptyWal = 0
  const goesOn = (): boolean => performance.now() < untilMs || heldMs.length < enough
  for (let number = 0; number < count && goesOn(); number++) {
    const atLeast = crowd.acknowledged()
    const held = await fixture.holdBare(file, pinnedWith(options.hold))
    if (held.kind !== 'snapshot') {
      const { code } = held.failure
      failures[code] = (failures[code] ?? 0) + 1
    } else {
      await using snapshot = held.snapshot
      // Each writer may have committed one that it has not acknowledged, and one more died before it could.
      const atMost = crowd.acknowledged() + 2 * crowd.writers
      const { seq, wrong: why } = judgeBook(snapshot.path)
      if (why !== null) wrong.push(why)
      else if (seq < atLeast) wrong.push(`it has ${seq}, and ${atLeast} was acknowledged before`)
      else if (seq > atMost) wrong.push(`it has ${seq}, and only ${atMost} can be committed`)
      const { pin, level } = held.record.evidence
      if (pin === null || level !== 'pinned') wrong.push(`evidence of level ${level}, pin ${JSON.stringify(pin)}`)
      else {
        branches[pin.branch] = (branches[pin.branch] ?? 0) + 1
        heldMs.push(pin.heldMs)
        if (pin.mark?.frames === 0) emptyWal++
      }
    }
    // At random, so that snapshots do not keep step with writers and checkpoints.
    await sleep(Math.random() * 20)
  }
  return {
    taken: heldMs.length,
    wrong,
    withoutSnapshot: failures,
    branches,
    heldMs: heldMs.toSorted((one, other) => one - other),
    emptyWal,
  }
}

const pinnedWith = (options: HoldOptions = {}): HoldOptions => ({
  ...options,
  settings: { require: 'pinned', ...options.settings },
})
