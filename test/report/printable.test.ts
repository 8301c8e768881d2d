import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { cutEnd, cutMiddle, displayWidth, wrap } from '../../src/report/layout.ts'
import { printable } from '../../src/report/printable.ts'
import { humanBytes, humanMs } from '../../src/report/units.ts'

test.each([
  ['plain name', 'plain name'], ['a\nb', 'a\\nb'], ['\u001b[31m', '\\e[31m'], ['\u202ecod', '\\u{202e}cod'], ['a\u200bb', 'a\\u{200b}b'], ['\ud800', '\\u{d800}'], ['\u00ad', '\\xad'],
  ['日本', '日本'], ['é', 'é'], ['e\u0301', 'e\u0301'], ['\u009b1m', '\\x9b1m'], ['\u{e0041}', '\\u{e0041}'], ['\u00a0', '\\xa0'],
])('%j is shown as %s', (text, shown) => {
  expect(printable(text)).toBe(shown)
})

test('wrapped lines fit, and nothing but spaces at the breaks is lost', () => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }).map(printable), fc.integer({ min: 10, max: 100 }), (text, width) => {
    const lines = wrap(text, width)
    for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(width)
    expect(lines.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''))
  }))
})

test('cut texts fit and keep both ends, or the beginning', () => {
  expect(cutMiddle('/srv/notes/very/long/path/acme.db', 16)).toBe('/srv/not…acme.db')
  fc.assert(fc.property(fc.string({ unit: 'grapheme', maxLength: 100 }).map(printable), fc.integer({ min: 4, max: 60 }), (text, width) => {
    expect(displayWidth(cutMiddle(text, width))).toBeLessThanOrEqual(width)
    expect(displayWidth(cutEnd(text, width))).toBeLessThanOrEqual(width)
  }))
})

test.each([[0, '0 ms'], [0.4, '<1 ms'], [9, '9 ms'], [999.7, '1.0 s'], [1300, '1.3 s'], [59_960, '1 min'], [125_000, '2 min 5 s'], [3_600_000, '1 h'], [93_600_000, '1 d 2 h'], [null, '-']])('%s ms is %s', (ms, text) => {
  expect(humanMs(ms)).toBe(text)
})

test.each([[1, '1 byte'], [999, '999 bytes'], [8_000_000, '8.0 MB'], [999_950, '1.0 MB'], [560_599_040, '560.6 MB']])('%s bytes are %s', (bytes, text) => {
  expect(humanBytes(bytes)).toBe(text)
})
