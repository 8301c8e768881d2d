import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { nearest } from '../../src/text/nearest-word.ts'

test('a typing mistake finds the key that was meant, anything else finds none', () => {
  const known = ['require', 'ttl', 'drainTimeout', 'maxPause', 'maxPaused', 'warmAbove']
  expect(
    ['drainTimeOut', 'drainTimout', 'maxPuase', 'warm_above', 'tll', 'colour', 'x'.repeat(1e6)].map((name) =>
      nearest(name, known),
    ),
  ).toEqual(['drainTimeout', 'drainTimeout', 'maxPause', 'warmAbove', 'ttl', null, null])
})

test('a letter that is wrong, missing or too many finds the name again, whatever the case', () => {
  const name = fc.stringMatching(/^[a-z]{4,20}$/)
  const mistake = fc.constantFrom({ put: 'x', instead: 1 }, { put: '', instead: 1 }, { put: 'x', instead: 0 })
  fc.assert(
    fc.property(name, fc.nat(19), mistake, (given, at, { put, instead }) => {
      const wrong = `${given.slice(0, at)}${put}${given.slice(at + instead)}`.toUpperCase()
      expect(nearest(wrong, ['another-key-of-many-letters', given])).toBe(given)
    }),
    { numRuns: 200 },
  )
})
