/** Patterns of `--only`. Ids are any text: the characters of paths and shells are characters like any other. */

import { expect, test } from 'vitest'
import { tenantId } from '../../../src/model/brand.ts'
import { matchesId, requireMatches } from '../../../src/runs/selection/id-pattern.ts'

const takes: readonly (readonly [string, string])[] = [
  ['*', '.hidden'],
  ['*', '.'],
  ['*', '..'],
  ['*', 'a/b'],
  ['*', 'a\nb'],
  ['*', 'a\\b'],
  ['*.*', '.b'],
  ['a*', 'a/b/.c'],
  ['**', 'a/b'],
  ['a//*', 'a//b'],
  ['?', '/'],
  ['?', '\u{1f600}'],
  ['a?b', 'a\nb'],
  ['[a-c]x', 'bx'],
  ['[!a-c]x', 'dx'],
  ['[^a-c]x', 'dx'],
  ['[\u00e9]', '\u00e9'],
  ['{a,b}c', 'bc'],
  ['{a,{b,c}}x', 'cx'],
  ['a\\*b', 'a*b'],
  ['a[*]b', 'a*b'],
  ['a\\\\b', 'a\\b'],
  ['\\[a*', '[ab'],
  ['a\\{b,c}', 'a{b,c}'],
  ['!a*', '!ab'],
  ['#a*', '#ab'],
  ['./a*', './ab'],
  ['/*', '/a'],
  ['a(b)*', 'a(b)c'],
  ['a+b*', 'a+bc'],
  ['a|b*', 'a|bc'],
  ['@(a)*', '@(a)b'],
  ['"a*"', '"ab"'],
  ['$a*', '$ab'],
  ['[*', '[a'],
  ['{a*', '{ab'],
  ['a*', 'a*'],
  ['a\\', 'a\\'],
  ['[a', '[a'],
]
test.each(takes)('%j takes %j', (pattern, id) => {
  expect(matchesId(tenantId(id), pattern)).toBe(true)
})

const leaves: readonly (readonly [string, string])[] = [
  ['', 'a'],
  ['a', 'A'],
  ['a\\*b', 'axb'],
  ['a[*]b', 'axb'],
  ['[!a-c]x', 'ax'],
  ['!a', 'b'],
  ['!(a)', 'b'],
  ['+(a)', 'aa'],
  ['a.b*', 'axb'],
  ['./a*', 'ab'],
  ['a*', './ab'],
  ['a(b)*', 'abc'],
  ['?', 'ab'],
  ['\\w', 'x'],
]
test.each(leaves)('%j does not take %j', (pattern, id) => {
  expect(matchesId(tenantId(id), pattern)).toBe(false)
})

test('a pattern that asks for much is answered soon, and one that is too long is refused by name', () => {
  expect(matchesId(tenantId('a'.repeat(64)), '*a*a*a*a*a*a*a*a*a*a*a*a*b')).toBe(false)
  expect(() => matchesId(tenantId('a'), 'a'.repeat(100_000))).toThrow(
    expect.objectContaining({
      code: 'USAGE',
      message: expect.stringMatching(/^"a{40}\.\.\.": pattern is too long$/) as string,
    }) as Error,
  )
})

test('all patterns that match no tenant are named', () => {
  const ids = new Set(['acme', 'bolt'].map(tenantId))
  expect(() => requireMatches(['a*', 'x*', 'y\n'], ids)).toThrow(
    expect.objectContaining({ code: 'TENANT_UNKNOWN', message: 'no tenant matches "x*", "y\\n"' }) as Error,
  )
  requireMatches(['a*', '*'], ids)
})
