/** A defect in holdfast itself: it ends the run with exit code 70. Never caught to go on. */
export class Bug extends Error {
  override readonly name = 'Bug'
}

/**
 * A service calls our request wrong. In a run that is a defect of ours; the doctor, whose requests follow the contract,
 * blames the service.
 */
export class WrongRequest extends Bug {}

/** States what must hold. @throws {Bug} when it does not. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Bug(message)
}

/** Closes a switch over a union: the compiler proves that it is never reached, and the run ends if it lies. */
export function unreachable(value: never): never {
  throw new Bug(`unreachable: ${JSON.stringify(value)}`)
}
