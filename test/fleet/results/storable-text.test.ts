/** Text of results as PostgreSQL takes it. */

import { expect, test } from 'vitest'
import { storableText } from '../../../src/fleet/results/storable-text.ts'

const stored = (value: unknown): unknown => JSON.parse(storableText(JSON.stringify(value)))

test('what every database takes stays as it is', () => {
  const value = { text: 'a\nb "c" \\ ü \u{1f600} \u0001', keys: ['\\u0000', '\\\\ud800', '\\n'] }
  expect(stored(value)).toEqual(value)
})

test('U+0000 and halves of surrogate pairs are replaced, also in names and after backslashes', () => {
  expect(stored({ 'a\0': 'b\0c', pairs: '\ud800 \udc00x \u{10000}', after: '\\\0' })).toEqual({
    'a\ufffd': 'b\ufffdc',
    pairs: '\ufffd \ufffdx \u{10000}',
    after: '\\\ufffd',
  })
})
