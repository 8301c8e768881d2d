import { Failure } from './failure.ts'

/** A failure as a value, for those who go on. @throws anything else */
export async function orFailure<Value>(work: Promise<Value>): Promise<Value | Failure> {
  try {
    return await work
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
}
