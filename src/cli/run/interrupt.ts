/** Signals become one abort: holdfast ends what it has begun, and the exit code says which signal came. */
import { exitCodes, type ExitCode } from '../../model/exit-code.ts'
import { Failure } from '../../model/failure.ts'

const codes = {
  SIGINT: exitCodes.interrupted,
  SIGTERM: exitCodes.terminated,
  SIGHUP: exitCodes.hangup,
  SIGQUIT: exitCodes.quit,
} as const

export interface Interrupt {
  readonly signal: AbortSignal
  /** Exit code of the first signal that came; null if none came. */
  readonly exitCode: () => ExitCode | null
  /**
   * Sets what a signal is said to do, as words after its name. Until then: what a command does that pauses tenants.
   */
  readonly announce: (effect: string) => void
}

/**
 * Listens from now on. A second signal changes nothing: resuming has its own deadline, and after `kill -9` the guardian
 * resumes.
 */
export function listenForSignals(say: (sentence: string) => void): Interrupt {
  const controller = new AbortController()
  let code: ExitCode | null = null
  let effect = 'resuming what is paused, then stopping'
  for (const [name, exitCode] of Object.entries(codes)) {
    process.on(name, () => {
      if (code !== null) return
      code = exitCode
      say(`${name}: ${effect}`)
      controller.abort(new Failure('INTERRUPTED', `the run was ended by ${name}`))
    })
  }
  return {
    signal: controller.signal,
    exitCode: () => code,
    announce: (words) => {
      effect = words
    },
  }
}
