/** The parent's driver of the check steps: readers in child processes answer them. */
import type { Reading } from '../model/result/reading.ts'
import { runCheckSteps } from './check-steps.ts'
import type { StepReaders } from './check-steps.ts'
import { isUnanswered } from './protocol.ts'
import type { Reader, ReaderAnswer } from './protocol.ts'
import { ReadingBuilder } from './reading-builder.ts'
import type { ReadingLimits } from './reading-builder.ts'

export interface ReaderSet extends StepReaders, Pick<Reading, 'sqliteVersion' | 'walls'> {}

/** A child checks snapshots up to this size alone, on one question: some ten milliseconds of work. */
export const oneQuestionBytesMax = 8_000_000

/** A child that hangs on this one question leaves most of the time to the single steps. They show where it hangs. */
const allStepsShare = 0.2

/** Reads a snapshot from beginning to end. What was found out before a step without an answer is kept. */
export async function readSnapshot(readers: ReaderSet, limits: ReadingLimits): Promise<Reading> {
  const reading = new ReadingBuilder(limits)
  if (readers.sqlite === readers.pages) reading.takeEarly(await askAllSteps(reading, readers.pages))
  await runCheckSteps(reading, readers)
  return reading.result(readers)
}

/** Empty if the child died over the question or failed: asked step by step, the next one shows over which step. */
async function askAllSteps({ limits, key }: ReadingBuilder, child: Reader): Promise<readonly ReaderAnswer[]> {
  const { depth, engine, sample, map, digesting, showValues, memoryBytesMax, timeoutMs } = limits
  const answer = await child.ask<'allSteps'>(
    {
      step: 'allSteps',
      depth,
      engine,
      sample,
      key,
      map,
      digesting,
      showValues,
      bytesMax: oneQuestionBytesMax,
      memoryBytesMax,
    },
    timeoutMs * allStepsShare,
  )
  return isUnanswered(answer) ? [] : answer.answers
}
