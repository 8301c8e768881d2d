/** A failure that stops a run is not hidden by a stop that had begun before it. */
import { expect, test } from 'vitest'
import { asError, chunkFailureOf, silenceOf, type ChunkFailure } from '../../../src/fleet/agent/chunk-messages.ts'
import { Bug } from '../../../src/model/bug.ts'
import { Failure } from '../../../src/model/failure.ts'

const harm: ChunkFailure = { code: 'LOCK_NOT_HONOURED', message: 'a lock was granted twice', hint: 'stop' }
const silent: ChunkFailure = { code: 'ADMIN_UNREACHABLE', message: 'no answer', hint: 'start it' }

const interruption = new Failure('INTERRUPTED', 'the agent asked for it')

test('only the interruption by the stop itself is no failure', () => {
  expect(chunkFailureOf(null, { hasBegun: false })).toBeNull()
  expect(chunkFailureOf(interruption, { hasBegun: true })).toBeNull()
  expect(chunkFailureOf(interruption, { hasBegun: false })).toMatchObject({ code: 'INTERRUPTED' })
  for (const hasBegun of [true, false]) {
    expect(chunkFailureOf(asError(harm), { hasBegun })).toEqual(harm)
    expect(chunkFailureOf(new TypeError('x is undefined'), { hasBegun })).toMatchObject({ code: 'BUG' })
  }
})

test('a chunk waits for a silent service, and not if something worse was found', () => {
  expect(silenceOf(null, null)).toBeNull()
  expect(silenceOf(null, silent)).toEqual(silent)
  expect(silenceOf(silent, null)).toEqual(silent)
  expect(silenceOf(harm, silent)).toBeNull()
  expect(silenceOf(harm, null)).toBeNull()
})

test('the agent throws what the process met', () => {
  expect(asError(harm)).toMatchObject({ name: 'Failure', code: 'LOCK_NOT_HONOURED', hint: 'stop' })
  expect(asError({ code: 'BUG', message: 'x is undefined', hint: '' })).toBeInstanceOf(Bug)
})
