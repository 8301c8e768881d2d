/** Child side: work on a copy that SQLite may refuse. */
import { refusedBySqlite } from '../../worker/child/not-done.ts'
import type { StepCompletion } from '../protocol.ts'

/** @throws what says nothing about the file */
export function tryDone(work: () => void): StepCompletion {
  try {
    work()
    return { kind: 'done' }
  } catch (error) {
    return refusedBySqlite(error)
  }
}
