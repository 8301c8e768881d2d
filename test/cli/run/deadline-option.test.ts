/** `--deadline`: a time of day is the next one by the clock of the machine. */
import { expect, test } from 'vitest'
import { deadlineOption } from '../../../src/cli/run/sweep-options.ts'

const now = new Date(2026, 10, 28, 22, 30)

test.each([
  ['06:00', new Date(2026, 10, 29, 6, 0)],
  ['23:05', new Date(2026, 10, 28, 23, 5)],
  ['22:30', new Date(2026, 10, 29, 22, 30)],
  ['2026-11-29T06:00Z', new Date(Date.UTC(2026, 10, 29, 6, 0))],
])('%s', (text, at) => {
  expect(new Date(deadlineOption(text, undefined, now))).toEqual(at)
})

test.each(['24:00', '6', '06:60', 'soon', '06:00Z', ''])('%j is no time', (text) => {
  expect(() => deadlineOption(text, undefined, now)).toThrow(/It must be a time such as/)
})
