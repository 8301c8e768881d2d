/**
 * A run with a copy of the list of tenants does not know whether the service runs at all. If it gives no answer about
 * several tenants in a row, the others are not asked for. A service that hangs would keep the run for days.
 */

import type { FailureCode } from '../../model/failure.ts'
import { Failure } from '../../model/failure.ts'
import type { Result } from '../../model/result/report.ts'

const unansweredMax = 3
/** Also of hooks whose list of tenants is not valid: without it no tenant can be seen serving. */
const noAnswer = new Set<FailureCode | undefined>(['ADMIN_UNREACHABLE', 'REGISTRY_STALE'])

/** True for a result that only says that the service gave no answer about the tenant. */
export const isWithoutAnswer = ({ failure }: Pick<Result, 'failure'>): boolean => noAnswer.has(failure?.code)

export class UnansweredRow {
  readonly #controller = new AbortController()
  #inARow = 0

  /** Aborts, with a failure as the reason, after so many results in a row. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  consider(result: Pick<Result, 'failure'>): void {
    const { failure } = result
    this.#inARow = isWithoutAnswer(result) ? this.#inARow + 1 : 0
    if (this.#inARow < unansweredMax || failure === undefined) return
    this.#controller.abort(
      new Failure(
        'ADMIN_UNREACHABLE',
        `the service gives no list of tenants, and it did not answer about ${unansweredMax} tenants in a row: ` +
          failure.message,
      ),
    )
  }
}
