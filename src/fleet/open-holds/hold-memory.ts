/**
 * The ledger for who resumes what a crash left open: as much as can be had of it. The tenants come first, a ledger that
 * fails is told of afterwards.
 */

import { wayOf } from '../../config/service-way.ts'
import type { Settings } from '../../config/settings.ts'
import { inspectFolder } from '../../ledger/folder.ts'
import { openLedger, openLedgerToResume, readLedger, type Ledger, type LedgerReading } from '../../ledger/ledger.ts'
import { runAtWork } from '../../ledger/run-lock/run-liveness.ts'
import type { RunLock } from '../../ledger/run-lock/run-lock.ts'
import type { RunId } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import { orFailure } from '../../model/or-failure.ts'

export type ReadableMemory = LedgerReading & Pick<Ledger, 'append'>

export interface HoldMemory extends AsyncDisposable {
  /** null where the ledger cannot even be read. */
  readonly ledger: ReadableMemory | null
  /** Why the ledger cannot be written, or not even read; null where it can. */
  readonly trouble: Failure | null
  /** Whether there is no ledger at all, and nothing says that there ever was one. */
  readonly isNew: boolean
}

/** Makes no ledger where there is none: then nothing is known to stand open. */
export async function openHoldMemory(settings: Settings, run: RunId): Promise<HoldMemory> {
  const { dir } = settings.ledger
  const way = wayOf(settings)
  const found = await orFailure(inspectFolder(dir))
  // A service that tells who stands still makes up for a ledger that cannot be read: it is set aside, as in any run.
  const opening = settings.service.kind === 'hooks' ? openLedgerToResume : openLedger
  const written = found === 'there' ? await orFailure(opening(dir, run, way)) : null
  if (written !== null && !(written instanceof Failure))
    return { ledger: written, trouble: null, isNew: false, ...endingWith(written) }
  const reading = await orFailure(readLedger(dir, way))
  if (reading instanceof Failure)
    return { ledger: null, trouble: written ?? reading, isNew: false, ...endingWith(null) }
  const isNew = found === 'empty' && !reading.holdsLost
  return { ledger: readOnly(reading, written, isNew), trouble: written, isNew, ...endingWith(reading) }
}

const endingWith = (opened: AsyncDisposable | null): AsyncDisposable => ({
  [Symbol.asyncDispose]: async () => {
    await opened?.[Symbol.asyncDispose]()
  },
})

/** @param isNew whether there never was a ledger: nothing is to be said of that */
function readOnly(reading: LedgerReading, trouble: Failure | null, isNew: boolean): ReadableMemory {
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
    lastRuns: (limit) => reading.lastRuns(limit),
    pauseTotals: () => reading.pauseTotals(),
    history: (tenant, limit) => reading.history(tenant, limit),
    checks: (tenant, limit) => reading.checks(tenant, limit),
    append: () => Promise.reject(trouble ?? new Failure('LEDGER_UNUSABLE', 'there is no ledger to write to')),
    [Symbol.asyncDispose]: () => reading[Symbol.asyncDispose](),
  }
}

/**
 * The run lock; null where its folder cannot be written: no run can have begun there since, but one may go on.
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
