/** Text that was written to break the parser. */

import { describe, expect, test } from 'vitest'
import { least, problemsOf } from '../support/config/problems.ts'

describe('text written against the parser is refused, quickly', () => {
  const bombs: readonly (readonly [string, string])[] = [
    ['lists in lists', '['.repeat(400_000)],
    ['sections in sections', '{a: '.repeat(200_000)],
    ['dashes in dashes', `${'- '.repeat(200_000)}x`],
    ['indentation in indentation', Array.from({ length: 900 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')],
    [
      'a billion laughs',
      `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'
        .split('')
        .map((name, index) => `${name}: &${name} [${`*${'abcdefgh'[index]},`.repeat(9)}]`)
        .join('\n')}`,
    ],
    ['thousands of unknown keys', Array.from({ length: 20_000 }, (_, index) => `key${index}: 1`).join('\n')],
    ['thousands of the same key', 'a: 1\n'.repeat(20_000)],
    ['thousands of wrong items', `${least}check: { accept: [${'{}, '.repeat(20_000)}] }`],
    ['a megabyte of brackets in pairs', `a: [${'[],'.repeat(100_000)}]`],
    ['control letters', 'a: "\u0007\u001b[2J"\n\u001b[2J: 1'],
    ['__proto__', '__proto__: { polluted: 1 }\nservice: { __proto__: 1, constructor: 2 }'],
  ]
  test.each(bombs)('%s', (_name, text) => {
    const began = process.cpuUsage()
    const problems = problemsOf(text)
    expect(problems.length).toBeGreaterThan(0)
    expect(problems.length).toBeLessThanOrEqual(51)
    expect(problems.join('\n')).not.toContain('\u001b')
    const { user, system } = process.cpuUsage(began)
    expect((user + system) / 1000).toBeLessThan(5000)
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })
})
