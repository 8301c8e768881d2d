/**
 * The steps of a change. Before and after each step, SQLite finds the old content or the new one, whole. What is
 * between two steps is on the disk before the next one begins.
 */
import { Failure } from '../../../model/failure.ts'
import { withSuppressed } from '../../../model/suppressed-errors.ts'

export interface Step {
  /** Leaves everything as it was if it throws, unless `takeBack` is to be called. */
  run(): void | Promise<void>
  /** Brings back what was before `run`, as far as `run` came. */
  takeBack(): void | Promise<void>
}

/** A step could not be reversed: the live set stands between two steps, and so is wholly old for SQLite. */
export class StepReversalError extends Error {
  override readonly name = 'StepReversalError'
  readonly failure: Failure

  constructor(failure: Failure, cause: unknown) {
    super(failure.message, { cause })
    this.failure = failure
  }
}

/**
 * Takes all steps, or none.
 * @param check called after each step; if it throws, the steps are reversed
 * @throws what a step or `check` threw, after all steps were reversed
 * @throws {StepReversalError} if one could not be reversed
 */
export async function takeSteps(steps: readonly Step[], check: () => void): Promise<void> {
  const begun: Step[] = []
  try {
    for (const step of steps) {
      begun.push(step)
      await step.run()
      check()
    }
  } catch (error) {
    try {
      for (const step of begun.toReversed()) await step.takeBack()
    } catch (second) {
      throw new StepReversalError(failureOf(error), second)
    }
    throw error
  }
}

const failureOf = (error: unknown): Failure => {
  const failure = withSuppressed(error).find((one) => one instanceof Failure)
  return failure ?? new Failure('READ_FAILED', 'the change broke off', { cause: error })
}
