import type { ExitCode } from '../exit-code.ts'

/**
 * What is known of the tenant after a failure. `active`: it was seen serving after us. `maybe-paused`: it was not, so
 * it may still be paused. `unknown`: its state was not asked for after the failure.
 */
export type TenantState = 'untouched' | 'active' | 'maybe-paused' | 'unknown'

/** One row of the failure table: everything that is true of a failure code wherever it is thrown. */
export interface FailureKind {
  /** The state of the tenant unless the thrower knows better. */
  readonly tenant: TenantState
  /** Does the same attempt have a fair chance a moment later? */
  readonly retry: boolean
  /** `run`: of a run that ended with it before it had results. `result`: of one result that failed with it. */
  readonly exit: { readonly run: ExitCode; readonly result: ExitCode }
  /** True if every later tenant would meet it: the first result with it ends the run (runs/stop-the-line.ts). */
  readonly stopsRun: boolean
  /**
   * The command to type after a result with it. `holders`: which programs have the file. `doctor`: try each call of the
   * service. `check`: check this tenant again. `explain`: read what it means.
   */
  readonly next: 'holders' | 'doctor' | 'check' | 'explain'
  /** What an operator can do about it at night. */
  readonly hint: string
  /** The hint for an operator who has just run the command that `hint` names; null where `explain` must do. */
  readonly otherwise: string | null
  /** What it says, in one or two sentences, for `explain`. */
  readonly means: string
  /** How it comes about, for `explain`. */
  readonly cause: string
}
