/** Signals become one abort: holdfast resumes what is paused, and the exit code says which signal came. */
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
}

/**
 * Listens from now on. A second signal changes nothing: resuming has its own deadline, and after `kill -9` the guardian
 * resumes.
 */
export function listenForSignals(say: (sentence: string) => void): Interrupt {
  const controller = new AbortController()
  let code: ExitCode | null = null
  for (const [name, exitCode] of Object.entries(codes)) {
    process.on(name, () => {
      if (code !== null) return
      code = exitCode
      say(`${name}: resuming what is paused, then stopping`)
      controller.abort(new Failure('INTERRUPTED', `the run was ended by ${name}`))
    })
  }
  return { signal: controller.signal, exitCode: () => code }
}
