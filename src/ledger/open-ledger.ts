/** Opens a ledger: for a run, to resume open holds, or only for reading. */

import { systemFailure } from '../host/failures/system-failure.ts'
import type { RunId } from '../model/brand.ts'
import type { ServiceWay } from '../model/service-way.ts'
import { inspectFolder, ofLedger, prepareFolder } from './folder.ts'
import { LedgerProcess } from './ledger-process.ts'
import type { Ledger, LedgerReader } from './ledger.ts'
import { runsWereRecorded } from './note.ts'
import { noPauses } from './process/later-tables/pause-totals.ts'

/**
 * Opens the ledger for writing. Makes the folder and the file if they do not exist. A damaged ledger is set aside and a
 * new one begun; `notice` says so. The caller has the run lock.
 * @param way the service whose lines are written and read; null for bare files
 * @throws {Failure} LEDGER_UNUSABLE
 */
export async function openLedger(dir: string, run: RunId, way: ServiceWay | null = null): Promise<Ledger> {
  await prepareFolder(dir)
  return startLedger(new LedgerProcess(dir, 'write', run, way))
}

/**
 * The same, to resume open holds: a damaged ledger whose open holds cannot be read stays where it is.
 * @throws {Failure} LEDGER_UNUSABLE
 */
export async function openLedgerToResume(dir: string, run: RunId, way: ServiceWay): Promise<Ledger> {
  await prepareFolder(dir)
  return startLedger(new LedgerProcess(dir, 'resume', run, way))
}

/**
 * Opens the ledger for reading while a run may be writing. Creates nothing: if there is no ledger yet, all answers are
 * empty and `notice` says so.
 * @throws {Failure} LEDGER_UNUSABLE, also if it is damaged
 */
export async function readLedger(dir: string, way: ServiceWay | null = null): Promise<LedgerReader> {
  if ((await inspectFolder(dir)) === 'empty') return emptyLedger(dir, wereRecorded(dir))
  return startLedger(new LedgerProcess(dir, 'read', null, way))
}

/** @throws {Failure} LEDGER_UNUSABLE */
function wereRecorded(dir: string): boolean {
  try {
    return runsWereRecorded(dir)
  } catch (error) {
    throw systemFailure(error, { doing: "look into the ledger's folder", path: dir, ...ofLedger })
  }
}

async function startLedger(ledger: LedgerProcess): Promise<Ledger> {
  try {
    await ledger.open()
    return ledger
  } catch (error) {
    await ledger[Symbol.asyncDispose]()
    throw error
  }
}

const nothingNotable = { results: [], others: { fresh: 0, stale: 0, pinned: 0, oldestAt: null } }

const emptyLedger = (dir: string, isGone: boolean): LedgerReader => ({
  notice: isGone
    ? `the ledger in ${dir} is gone, though runs were recorded in it`
    : `there is no ledger in ${dir} yet: no run was ever recorded there`,
  holdsLost: isGone,
  openHolds: () => Promise.resolve([]),
  otherHolds: () => Promise.resolve([]),
  lastResults: () => Promise.resolve([]),
  notableResults: () => Promise.resolve(nothingNotable),
  allResults: () => Promise.resolve({ all: [], notable: nothingNotable }),
  history: () => Promise.resolve([]),
  checks: () => Promise.resolve({ lines: [], more: false }),
  lastRuns: () => Promise.resolve([]),
  fleetRuns: () => Promise.resolve([]),
  lastSweep: () => Promise.resolve(null),
  runLines: () => Promise.resolve({ lines: [], more: false }),
  pauseTotals: () => Promise.resolve(noPauses),
  lastRegistry: () => Promise.resolve(null),
  lastGood: (files) => Promise.resolve(files.map(() => null)),
  [Symbol.asyncDispose]: () => Promise.resolve(),
})
