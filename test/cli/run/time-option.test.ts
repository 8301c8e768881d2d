/** `--before` of a restore: a time that a person means, or an error. */
import { expect, test } from 'vitest'
import { timeOption } from '../../../src/cli/run/remedy-options.ts'

test.each([
  ['2028-02-29', '2028-02-29T00:00:00.000Z'],
  ['2026-11-28 20:00', '2026-11-28T20:00:00.000Z'],
  ['2026-11-28T20:00:01.5+02:00', '2026-11-28T18:00:01.500Z'],
  ['2026-01-01T00:30+01:00', '2025-12-31T23:30:00.000Z'],
  ['2026-12-31T24:00Z', '2027-01-01T00:00:00.000Z'],
])('%s', (text, at) => {
  expect(timeOption(text)).toBe(at)
})

test.each(['2026-02-30', '2026-02-29T12:00Z', '2026-11-31T00:00+05:00', '2026-00-10', '2026-13-01', '2026-1-1', ''])(
  '%j is no time',
  (text) => {
    expect(() => timeOption(text)).toThrow(/It must be a time such as/)
  },
)
