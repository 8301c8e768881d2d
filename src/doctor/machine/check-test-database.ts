/**
 * The doctor's check: this machine reads a test database to its verdict, in a process that is confined like every
 * reading process.
 */

import { openChecker } from '../../check/check.ts'
import type { Settings } from '../../config/settings.ts'
import { openSnapshotFolder } from '../../hold/snapshot/temporary-folder.ts'
import { Failure } from '../../model/failure.ts'
import { describeWalls, type Wall } from '../../model/result/reading.ts'
import { acquireCopy } from '../../runs/acquire-file.ts'
import { checkLimits } from '../../runs/begin/run-limits.ts'
import { fit, warning, type StepOutcome } from '../steps.ts'
import { makeTestDatabase } from './test-database.ts'

/**
 * Checks a test database in the snapshot folder.
 * @throws {Failure} CANNOT_CONFINE, READ_FAILED, and as `openSnapshotFolder`
 */
export async function checkTestDatabase(settings: Settings, signal: AbortSignal): Promise<StepOutcome> {
  await using folder = await openSnapshotFolder(settings.snapshots.dir, null)
  const named = await makeTestDatabase(folder.path)
  const { path } = folder
  await using checker = await openChecker({ ...checkLimits(settings), engine: 'census', folder: path, parallel: 1 })
  const context = {
    checker,
    accept: [],
    invariants: [],
    sampleShare: null,
    ledger: null,
    backups: null,
    rehearsing: null,
    folder: path,
    map: false,
  }
  await using copy = await acquireCopy({ tenant: null, named }, context, 'doctor', 'full', signal)
  const { verdict, failure, reason, readBy } = (await copy.check(() => undefined)).result
  if (failure !== undefined) throw new Failure(failure.code, failure.message, { hint: failure.hint })
  if (verdict !== 'sound') {
    throw new Failure('READ_FAILED', `a healthy test database was found ${verdict}: ${reason ?? 'no reason is known'}`)
  }
  return judgeWalls(readBy?.confinement ?? [])
}

function judgeWalls(walls: readonly Wall[]): StepOutcome {
  const said = `a test database was found sound; the process that read it ${describeWalls(walls)}`
  if (walls.includes('few-calls')) return fit(said)
  return warning(`${said}; it could use the network`, 'use a kernel with seccomp filters')
}
