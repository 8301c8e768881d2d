import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { legibleCommand } from '../../src/report/text/legible.ts'
import { jsonText } from '../../src/text/json-text.ts'
import { cutEnd, cutMiddle, displayWidth, wrapHanging, withoutBreaks, wrap } from '../../src/text/layout.ts'
import { showAsciiOnly } from '../../src/text/letters.ts'
import { printable, printableSentence } from '../../src/text/printable.ts'
import { shellWord } from '../../src/text/shell-words.ts'
import { humanBytes, humanMs } from '../../src/text/units.ts'

test.each([
  ['plain name', 'plain name'],
  ['a\nb', 'a\\nb'],
  ['\u001b[31m', '\\e[31m'],
  ['\u202ecod', '\\u{202e}cod'],
  ['a\u200bb', 'a\\u{200b}b'],
  ['\ud800', '\\u{d800}'],
  ['\u00ad', '\\xad'],
  ['日本', '日本'],
  ['é', 'é'],
  ['e\u0301', 'e\u0301'],
  ['\u009b1m', '\\x9b1m'],
  ['\u{e0041}', '\\u{e0041}'],
  ['\u00a0', '\\xa0'],
  ['a\\nb', 'a\\\\nb'],
  ['\\', '\\\\'],
])('%j is shown as %s', (text, shown) => {
  expect(printable(text)).toBe(shown)
})

const spelled = fc
  .array(
    fc.constantFrom(
      'a',
      'b',
      'n',
      'x',
      'e',
      '{',
      '}',
      '0',
      '2',
      '\\',
      '\n',
      '\u001b',
      '\u202e',
      '\u00ad',
      '\ud800',
      '\udc80',
      '\u{e0041}',
      ' ',
      '\u00a0',
    ),
    { maxLength: 6 },
  )
  .map((letters) => letters.join(''))

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
  expect(printableSentence("holdfast check --tenant $'a\\x0ab' \u202e")).toBe(
    "holdfast check --tenant $'a\\x0ab' \\u{202e}",
  )
})

test('JSON is printed in letters that a terminal shows, with the same value', () => {
  expect(jsonText({ id: 'a\u202eb\u009b1m\u{e0041}\u007f\u00ad' }, 0)).toBe(
    '{"id":"a\\u202eb\\u009b1m\\udb40\\udc41\\u007f\\u00ad"}',
  )
  expect(jsonText({ name: '日本 é', list: [1] })).toBe('{\n  "name": "日本 é",\n  "list": [\n    1\n  ]\n}')
  fc.assert(
    fc.property(
      fc.dictionary(fc.oneof(spelled, fc.string({ unit: 'binary' })), fc.oneof(spelled, fc.string({ unit: 'binary' }))),
      fc.constantFrom(0, 2),
      (value, space) => {
        const text = jsonText(value, space)
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
        expect(text.replaceAll('\n', '')).not.toMatch(/[\p{C}\p{Zl}\p{Zp}\u200b-\u200f\u2060-\u2064]/u)
      },
    ),
  )
})

test('wrapped lines fit, or are one word; nothing but spaces at the breaks is lost, and no letter is composed', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', maxLength: 200 }).map(printable),
      fc.integer({ min: 10, max: 100 }),
      (text, width) => {
        const lines = wrap(text, width)
        for (const line of lines) if (displayWidth(line) > width) expect(line.trim()).not.toContain(' ')
        expect(lines.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''))
      },
    ),
  )
  expect(wrap(`see /srv/cafe\u0301.db`, 10)).toEqual(['see', '/srv/cafe\u0301.db'])
})

test('commands and names are kept in one piece, and where lines are not wrapped everything is', () => {
  expect(wrap('then run `holdfast resume --all` at once', 20)).toEqual([
    'then run',
    '`holdfast resume --all`',
    'at once',
  ])
  expect(wrap(`in ${withoutBreaks('/srv/my notes/app.db')}, page 7`, 12)).toEqual([
    'in',
    '/srv/my notes/app.db,',
    'page 7',
  ])
  expect(wrap(`a  b ${'c'.repeat(300)}`, Infinity)).toEqual([`a  b ${'c'.repeat(300)}`])
  expect(wrapHanging('  next: one two three four', 18)).toEqual(['  next: one two', '    three four'])
})

test('names that are too long to read are cut in the middle; commands are left out', () => {
  expect(wrap(`of ${'n'.repeat(1_000)} and /${'p'.repeat(4_000)}`, Infinity)[0]).toHaveLength(5_009)
  const [long = ''] = wrap(`column ${'x'.repeat(900_000)}y is`, Infinity)
  expect([long.length, long.endsWith('xy is'), long.includes('\u2026')]).toEqual([1_034, true, true])
  expect(wrap(`run \`holdfast check ${'z'.repeat(5_000)}\` now`, 80).join(' ')).toBe(
    'run a command that is too long to show now',
  )
  expect(legibleCommand(`holdfast check ${'z'.repeat(5_000)}`)).toBe(
    '(too long to show here; --json names what it needs)',
  )
  expect(legibleCommand(`holdfast check ${'z'.repeat(4_000)}`)).toBe(`holdfast check ${'z'.repeat(4_000)}`)
})

test.each([
  ['abc', 3],
  ['\u65e5\u672c', 4],
  ['e\u0301', 1],
  ['\u{1f600}', 2],
  ['\u{1f44d}\u{1f3fd}', 2],
  ['\u{1f1e9}\u{1f1ea}', 2],
  ['\u1112\u1161\u11ab', 2],
  ['\uff21', 2],
  ['\uff71', 1],
  ['\u0e01\u0e34', 1],
])('%s takes %d columns', (text, columns) => {
  expect(displayWidth(text)).toBe(columns)
})

test('in a locale that is not UTF-8 all letters are ASCII, and a command passes the same bytes', () => {
  showAsciiOnly(true)
  try {
    expect([
      printable('caf\u00e9\n\u65e5'),
      wrap('the service\u2019s own \u2026', 80),
      cutMiddle('abcdefghijkl', 9),
    ]).toEqual(['caf\\u{e9}\\n\\u{65e5}', ["the service's own ..."], 'abc...jkl'])
    expect([shellWord('caf\u00e9'), shellWord('plain one')]).toEqual(["$'caf\\xc3\\xa9'", "'plain one'"])
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (text) => {
        expect(printable(text) + shellWord(text) + wrap(text.replaceAll('\n', ''), 20).join('')).toMatch(
          /^[\0-\u007f]*$/,
        )
      }),
    )
  } finally {
    showAsciiOnly(false)
  }
})

test('cut texts fit and keep both ends, or the beginning', () => {
  expect(cutMiddle('/srv/notes/very/long/path/acme.db', 16)).toBe('/srv/not…acme.db')
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', maxLength: 100 }).map(printable),
      fc.integer({ min: 4, max: 60 }),
      (text, width) => {
        expect(displayWidth(cutMiddle(text, width))).toBeLessThanOrEqual(width)
        expect(displayWidth(cutEnd(text, width))).toBeLessThanOrEqual(width)
      },
    ),
  )
})

test.each([
  [0, '0 ms'],
  [0.4, '<1 ms'],
  [9, '9 ms'],
  [999.7, '1.0 s'],
  [1300, '1.3 s'],
  [59_960, '1 min'],
  [125_000, '2 min 5 s'],
  [3_600_000, '1 h'],
  [93_600_000, '1 d 2 h'],
  [null, '-'],
])('%s ms is %s', (ms, text) => {
  expect(humanMs(ms)).toBe(text)
})

test.each([
  [1, '1 byte'],
  [999, '999 bytes'],
  [8_000_000, '8.0 MB'],
  [999_950, '1.0 MB'],
  [560_599_040, '560.6 MB'],
])('%s bytes are %s', (bytes, text) => {
  expect(humanBytes(bytes)).toBe(text)
})
