/** A defect in holdfast itself: it ends the run with exit code 70. It must never be caught to go on. */
export class Bug extends Error {
  override readonly name = 'Bug'
}

/**
 * A service answered that our request is wrong. In a run this is a defect of ours. In the doctor, whose requests follow
 * the contract, it is a failure of the service.
 */
export class WrongRequest extends Bug {}

/** States a condition that must be true. @throws {Bug} if it is not */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Bug(message)
}

/**
 * Closes a switch over a union. The compiler proves that it is never reached; a value that is not of its type ends the
 * run.
 */
export function unreachable(value: never): never {
  throw new Bug(`unreachable: ${JSON.stringify(value)}`)
}
