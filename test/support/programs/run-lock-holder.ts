/**
 * Takes the run lock of folder argv[2] and service argv[3], prints the outcome, and keeps the lock until stdin ends.
 */

import { writeSync } from 'node:fs'
import { newRunId } from '../../../src/ledger/run-lock/run-id.ts'
import { takeRunLock } from '../../../src/ledger/run-lock/run-lock.ts'
import { Failure } from '../../../src/model/failure.ts'

const [, , dir = '', service = ''] = process.argv
const run = newRunId()
const stdinEnded = new Promise((resolve) => process.stdin.on('end', resolve).resume())
try {
  await using _lock = await takeRunLock(dir, service, run)
  writeSync(1, `held ${run}\n`)
  await stdinEnded
} catch (error) {
  if (!(error instanceof Failure)) throw error
  writeSync(1, `${error.code} ${error.message}\n`)
  await stdinEnded
}
