/** Lets a crowd work alone and beside our snapshots, in turn, and compares its errors. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Crowd, ErrorCounts } from './crowd.ts'

export interface Phase {
  readonly seconds: number
  readonly errors: ErrorCounts
}

export interface InterleavedPhases {
  readonly alone: Phase
  readonly beside: Phase
}

/**
 * @param besideUs is called once in each round. The crowd then works alone for as long, but not longer than
 * `aloneMsMax`.
 */
export async function interleave(
  crowd: Crowd,
  rounds: number,
  aloneMsMax: number,
  besideUs: (round: number) => Promise<void>,
): Promise<InterleavedPhases> {
  let alone: Phase = { seconds: 0, errors: {} }
  let beside: Phase = { seconds: 0, errors: {} }
  for (let round = 0; round < rounds; round++) {
    const during = await phase(crowd, () => besideUs(round))
    beside = sum(beside, during)
    alone = sum(alone, await phase(crowd, () => sleep(Math.min(during.seconds * 1000, aloneMsMax))))
  }
  return { alone, beside }
}

/** Errors that came beside us and never without us, as sentences. For crowds in which no error is expected. */
export function errorsOfOurs({ alone, beside }: InterleavedPhases): readonly string[] {
  return Object.entries(beside.errors)
    .filter(([error]) => (alone.errors[error] ?? 0) === 0)
    .map(([error, count]) => `${error}: ${count} times beside us, never without us`)
}

/**
 * Errors that came more often beside us than chance explains, as sentences. For crowds that meet errors without us:
 * half as many again, and beyond four standard deviations.
 */
export function moreErrors({ alone, beside }: InterleavedPhases): readonly string[] {
  const share = beside.seconds / (beside.seconds + alone.seconds)
  return Object.entries(beside.errors).flatMap(([error, count]) => {
    const without = alone.errors[error] ?? 0
    const total = count + without
    const expected = total * share
    const isMore = count > 1.5 * expected && count > expected + 4 * Math.sqrt(expected * (1 - share)) + 3
    return isMore
      ? [`${error}: ${count} times in ${Math.round(beside.seconds)} s beside us, ${without} without us`]
      : []
  })
}

async function phase(crowd: Crowd, during: () => Promise<unknown>): Promise<Phase> {
  const before = crowd.errors()
  const sinceMs = performance.now()
  await during()
  const seconds = (performance.now() - sinceMs) / 1000
  const after = Object.entries(crowd.errors())
  const errors = after.map(([error, count]) => [error, count - (before[error] ?? 0)] as const)
  return { seconds, errors: Object.fromEntries(errors.filter(([, count]) => count > 0)) }
}

function sum(one: Phase, other: Phase): Phase {
  const errors = { ...one.errors }
  for (const [error, count] of Object.entries(other.errors)) errors[error] = (errors[error] ?? 0) + count
  return { seconds: one.seconds + other.seconds, errors }
}
