import { expect, test } from 'vitest'
import { newRunId } from '../../../src/ledger/run-lock/run-id.ts'

test('run ids sort by the time at which they were made, as text', () => {
  const times = [0, 1, 999, 1_795_254_498_397, 1_795_254_498_398, 2 ** 47]
  const ids = times.map((time) => newRunId(time))
  expect([...ids].sort()).toEqual(ids)
  expect(ids.every((id) => /^[0-9A-HJKMNP-TV-Z]{26}$/.test(id))).toBe(true)
})

test('runs of the same millisecond have different ids', () => {
  expect(new Set(Array.from({ length: 1000 }, () => newRunId(1))).size).toBe(1000)
})
