/**
 * The permission to pause one tenant, which another process gives: in a fleet the slots of `fleet/pause/`. A run
 * without a permit counts its own paused tenants only. A bare file needs none: no tenant stands still.
 */
import { Failure } from '../../model/failure.ts'

export interface PausePermit {
  /**
   * Takes a slot, or waits a while for one: what was prepared for the pause must not wait for long.
   * @throws {Failure} PAUSE_NOT_GRANTED: release what was prepared, call `waitForSlot`, and begin again; the signal's
   * reason
   */
  takeSlot(signal: AbortSignal): Promise<PermitSlot>
  /** Waits until there is a slot, however long. Nothing may be open or locked meanwhile. @throws as `takeSlot` */
  waitForSlot(signal: AbortSignal): Promise<void>
}

/**
 * The permission to pause one tenant at a time. Disposing gives it back, unless `markAsked` was called and
 * `markAnswered` was not: whether the tenant stands still is then in doubt.
 */
export interface PermitSlot extends Disposable {
  /** On the monotonic clock: the service is not asked to quiesce after that. */
  readonly beginsByMs: number
  /** To be called right before the service is asked. */
  markAsked(): void
  /** To be called when no lease of ours can stand any more: the resume was answered, or the service refused. */
  markAnswered(): void
}

/** To be called as the last thing before the service is asked. @throws {Failure} PAUSE_TOO_LATE */
export function requireInTime({ beginsByMs }: PermitSlot, nowMs: number): void {
  if (nowMs <= beginsByMs) return
  const lateMs = Math.ceil(nowMs - beginsByMs)
  throw new Failure('PAUSE_TOO_LATE', `the tenant could be paused until ${lateMs} ms before the request`)
}
