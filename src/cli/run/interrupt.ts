import { exitCodes, type ExitCode } from '../../model/exit-code.ts'
/** Signals become one abort: whatever is paused is resumed, and the exit code says which signal it was. */
import { Failure } from '../../model/failure.ts'

const codes = {
  SIGINT: exitCodes.interrupted,
  SIGTERM: exitCodes.terminated,
  SIGHUP: exitCodes.hangup,
  SIGQUIT: exitCodes.quit,
} as const

export interface Interrupt {
  readonly signal: AbortSignal
  /** Exit code of the signal that came; null when none did. */
  readonly exitCode: () => ExitCode | null
}

/**
 * Listens from now on. A second signal changes nothing: resuming has a deadline of its own, and kill -9 has the
 * guardian.
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
