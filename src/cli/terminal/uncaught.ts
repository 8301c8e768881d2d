/**
 * What nothing has caught ends the process immediately: all locks go with it, and the guardian resumes what stands
 * still.
 */
import { exitCodeOfError, reportError, type Saying } from './errors.ts'

/** From now on such an error is reported as any other, not as a bare stack. */
export function reportUncaught(saying: Saying): void {
  process.on('uncaughtException', (error) => {
    reportError(saying, error)
    saying.say('holdfast ended at once; `holdfast status` shows whether a tenant still stands still')
    process.exit(exitCodeOfError(error, null))
  })
}
