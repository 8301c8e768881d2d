import { Failure } from './failure.ts'

/** Returns a failure as a value, for callers that go on. @throws any other error */
export async function orFailure<Value>(work: Promise<Value>): Promise<Value | Failure> {
  try {
    return await work
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
}
