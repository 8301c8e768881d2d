import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { cutEnd, cutMiddle, displayWidth, wrap } from '../../src/report/layout.ts'
import { jsonText } from '../../src/report/json-text.ts'
import { printable, printableSentence } from '../../src/report/printable.ts'
import { humanBytes, humanMs } from '../../src/report/units.ts'

test.each([
  ['plain name', 'plain name'], ['a\nb', 'a\\nb'], ['\u001b[31m', '\\e[31m'], ['\u202ecod', '\\u{202e}cod'], ['a\u200bb', 'a\\u{200b}b'], ['\ud800', '\\u{d800}'], ['\u00ad', '\\xad'],
  ['日本', '日本'], ['é', 'é'], ['e\u0301', 'e\u0301'], ['\u009b1m', '\\x9b1m'], ['\u{e0041}', '\\u{e0041}'], ['\u00a0', '\\xa0'], ['a\\nb', 'a\\\\nb'], ['\\', '\\\\'],
])('%j is shown as %s', (text, shown) => {
  expect(printable(text)).toBe(shown)
})

const spelled = fc.array(fc.constantFrom('a', 'b', 'n', 'x', 'e', '{', '}', '0', '2', '\\', '\n', '\u001b', '\u202e', '\u00ad', '\ud800', '\udc80', '\u{e0041}', ' ', '\u00a0'), { maxLength: 6 }).map((letters) => letters.join(''))

test('no two names are printed alike', () => {
  const shown = new Map<string, string>()
  const check = (name: string): void => {
    const before = shown.get(printable(name))
    expect(before ?? name).toBe(name)
    shown.set(printable(name), name)
  }
  fc.assert(fc.property(spelled, check), { numRuns: 20_000, examples: [['a\nb'], ['a\\nb'], ['\u001b'], ['\\e']] })
})

test('commands in sentences keep their backslashes, to be typed', () => {
  expect(printableSentence("holdfast check --tenant $'a\\x0ab' \u202e")).toBe("holdfast check --tenant $'a\\x0ab' \\u{202e}")
})

test('JSON is printed in letters that a terminal shows, with the same value', () => {
  expect(jsonText({ id: 'a\u202eb\u009b1m\u{e0041}\u007f\u00ad' }, 0)).toBe('{"id":"a\\u202eb\\u009b1m\\udb40\\udc41\\u007f\\u00ad"}')
  expect(jsonText({ name: '日本 é', list: [1] })).toBe('{\n  "name": "日本 é",\n  "list": [\n    1\n  ]\n}')
  fc.assert(fc.property(fc.dictionary(fc.oneof(spelled, fc.string({ unit: 'binary' })), fc.oneof(spelled, fc.string({ unit: 'binary' }))), fc.constantFrom(0, 2), (value, space) => {
    const text = jsonText(value, space)
    expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{C}\p{Zl}\p{Zp}\u200b-\u200f\u2060-\u2064]/u)
  }))
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
