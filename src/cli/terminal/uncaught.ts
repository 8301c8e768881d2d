/**
 * An error that nothing caught ends the process immediately. All locks end with the process, and the guardian resumes
 * paused tenants.
 */
import { exitCodeOfError, reportError, type ErrorOutput } from './errors.ts'

/** From now on such an error is reported as any other, not as a bare stack trace. */
export function reportUncaught(output: ErrorOutput): void {
  process.on('uncaughtException', (error) => {
    reportError(output, error)
    output.say('holdfast ended immediately; `holdfast status` shows whether a tenant is still paused')
    process.exit(exitCodeOfError(error, null))
  })
}
