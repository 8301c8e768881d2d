/**
 * The ledger for `resume`: as much of it as can be opened. Tenants are resumed first; a ledger that fails is reported
 * afterwards.
 */

import { wayOf } from '../../config/service-way.ts'
import type { Settings } from '../../config/settings.ts'
import { inspectFolder } from '../../ledger/folder.ts'
import type { Ledger, LedgerReader } from '../../ledger/ledger.ts'
import { openLedger, openLedgerToResume, readLedger } from '../../ledger/open-ledger.ts'
import { runAtWork } from '../../ledger/run-lock/run-liveness.ts'
import type { RunLock } from '../../ledger/run-lock/run-lock.ts'
import type { RunId } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import { orFailure } from '../../model/or-failure.ts'

export type ReadableLedger = LedgerReader & Pick<Ledger, 'append'>

export interface LedgerToResume extends AsyncDisposable {
  /** null if the ledger cannot even be read. */
  readonly ledger: ReadableLedger | null
  /** Why the ledger cannot be written or not even read; null if it can be written. */
  readonly unwritable: Failure | null
  /** True if there is no ledger, and nothing shows that there ever was one. */
  readonly isNew: boolean
}

/** Does not make a ledger if there is none: then no hold is known to be open. */
export async function openLedgerForResume(settings: Settings, run: RunId): Promise<LedgerToResume> {
  const { dir } = settings.ledger
  const way = wayOf(settings)
  const found = await orFailure(inspectFolder(dir))
  // With an admin API the service can say which tenants are paused. So a ledger that cannot be read is set aside, as in
  // any run. With hooks it stays where it is.
  const opening = settings.service.kind === 'hooks' ? openLedgerToResume : openLedger
  const written = found === 'there' ? await orFailure(opening(dir, run, way)) : null
  if (written !== null && !(written instanceof Failure))
    return { ledger: written, unwritable: null, isNew: false, ...closerOf(written) }
  const reading = await orFailure(readLedger(dir, way))
  if (reading instanceof Failure)
    return { ledger: null, unwritable: written ?? reading, isNew: false, ...closerOf(null) }
  const isNew = found === 'empty' && !reading.holdsLost
  return { ledger: readOnly(reading, written, isNew), unwritable: written, isNew, ...closerOf(reading) }
}

const closerOf = (opened: AsyncDisposable | null): AsyncDisposable => ({
  [Symbol.asyncDispose]: async () => {
    await opened?.[Symbol.asyncDispose]()
  },
})

/** @param isNew true if there never was a ledger: then there is no notice */
function readOnly(reading: LedgerReader, unwritable: Failure | null, isNew: boolean): ReadableLedger {
  return {
    get notice() {
      return isNew ? null : reading.notice
    },
    get holdsLost() {
      return reading.holdsLost
    },
    openHolds: () => reading.openHolds(),
    otherHolds: () => reading.otherHolds(),
    lastResults: () => reading.lastResults(),
    notableResults: (since, now) => reading.notableResults(since, now),
    allResults: (since, now) => reading.allResults(since, now),
    lastRuns: (limit) => reading.lastRuns(limit),
    fleetRuns: () => reading.fleetRuns(),
    lastSweep: () => reading.lastSweep(),
    runLines: (run, limit) => reading.runLines(run, limit),
    pauseTotals: () => reading.pauseTotals(),
    lastRegistry: () => reading.lastRegistry(),
    lastGood: (files) => reading.lastGood(files),
    history: (tenant, limit) => reading.history(tenant, limit),
    checks: (tenant, limit) => reading.checks(tenant, limit),
    append: () => Promise.reject(unwritable ?? new Failure('LEDGER_UNUSABLE', 'there is no ledger to write to')),
    [Symbol.asyncDispose]: () => reading[Symbol.asyncDispose](),
  }
}

/**
 * Takes the run lock. If its folder cannot be written, no run can begin there, but one may still be at work.
 * @returns null if the folder cannot be written
 * @throws {Failure} RUN_ACTIVE
 */
export async function lockToResume({ ledger, service }: Settings, run: RunId): Promise<RunLock | null> {
  const { takeRunLock, describeOwner } = await import('../../ledger/run-lock/run-lock.ts')
  const lock = await orFailure(takeRunLock(ledger.dir, service.name, run))
  if (!(lock instanceof Failure)) return lock
  if (lock.code !== 'LEDGER_UNUSABLE') throw lock
  const owner = await runAtWork(ledger.dir, service.name)
  if (owner === null) return null
  throw new Failure('RUN_ACTIVE', `another run works on this service: ${describeOwner(owner)}`, { cause: lock })
}
