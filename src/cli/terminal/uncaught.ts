/**
 * What nothing has caught ends the process immediately: all locks go with it, and the guardian resumes what stands
 * still.
 */
import { exitCodeOfTrouble, tellTrouble, type Saying } from './errors.ts'

/** From now on such an error is reported as any other, not as a bare stack. */
export function reportUncaught(saying: Saying): void {
  process.on('uncaughtException', (error) => {
    tellTrouble(saying, error)
    saying.say('holdfast ended at once; `holdfast status` shows whether a tenant still stands still')
    process.exit(exitCodeOfTrouble(error, null))
  })
}
