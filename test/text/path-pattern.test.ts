/** Patterns of paths: what is fixed, what each part matches, and what is refused. */
import { describe, expect, test } from 'vitest'
import { escapedPattern, pathPattern, type PathPattern } from '../../src/text/path-pattern.ts'

function read(text: string): PathPattern {
  const pattern = pathPattern(text)
  if ('refused' in pattern) throw new Error(pattern.refused)
  return pattern
}

/** The kinds of the steps, and which of the names the last one matches. */
const lastMatches = (text: string, names: readonly string[]): readonly string[] => {
  const last = read(text).steps.at(-1)
  return names.filter((name) => last?.kind === 'any-folders' || last?.matches(name))
}

describe('the fixed part is what stands before the first pattern', () => {
  test.each([
    ['/srv/app/*.db', '/srv/app', 1],
    ['/srv/app/**/*.db', '/srv/app', 2],
    ['/srv/{a,b}/data/x.db', '/srv', 3],
    ['/srv/app/x.db', '/srv/app', 1],
    [String.raw`/srv/\[old\]/x.db`, '/srv/[old]', 1],
    ['/srv/a?/x.db', '/srv', 2],
    ['/srv/app/**', '/srv/app', 1],
  ])('%s', (text, fixed, steps) => {
    const pattern = read(text)
    expect([pattern.fixed, pattern.steps.length]).toEqual([fixed, steps])
  })
})

test('a part matches within one name, also a leading dot', () => {
  const names = ['a.db', '.a.db', 'a.db2', 'b.db', '[a].db', 'a\nb.db', '!x.db', '#x.db', 'caf\udce9.db']
  expect(lastMatches('/s/*.db', names)).toEqual(names.filter((name) => name !== 'a.db2'))
  expect(lastMatches('/s/[a-a].db', names)).toEqual(['a.db'])
  expect(lastMatches('/s/[!a]*.db', names)).not.toContain('a.db')
  expect(lastMatches('/s/{a,b}.db', names)).toEqual(['a.db', 'b.db'])
  expect(lastMatches(String.raw`/s/\[a\].db`, names)).toEqual(['[a].db'])
  expect(lastMatches('/s/!x.db', names)).toEqual(['!x.db'])
})

test('an escaped path matches itself alone, whatever letters it has', () => {
  for (const name of ['a*.db', 'a?.db', '[a].db', '{a,b}.db', String.raw`a\b.db`, 'plain.db']) {
    const pattern = read(`/srv/${escapedPattern(name)}`)
    expect(pattern.fixed).toBe('/srv')
    expect(lastMatches(`/srv/${escapedPattern(name)}`, [name, 'ax.db', 'a.db', 'b.db', 'ab.db'])).toEqual([name])
  }
  expect(read(`${escapedPattern('/srv/a*b')}/x.db`).fixed).toBe('/srv/a*b')
})

test.each(['/*.db', '/x.db', '/srv/app/', '/**/x.db'])(
  '%s would search the whole machine, or names no file',
  (text) => {
    expect(pathPattern(text)).toEqual({ refused: expect.stringContaining('must begin with the path of a folder') })
  },
)

test.each(['/srv/{a/b,c}/x.db', '/srv/[a/b].db', '/srv/{a', '/srv/a]b/*.db'])(
  '%s has a bracket that is not closed',
  (text) => {
    expect(pathPattern(text)).toEqual({ refused: 'must not have a / within { } or [ ]' })
  },
)
