/** Which files of two sides are compared with each other: nobody may be paused for a pair that was guessed. */

import { expect, test } from 'vitest'
import { tenantId } from '../../../src/model/brand.ts'
import { pairFiles, type FileSet } from '../../../src/runs/selection/pair-files.ts'

const file = (named: string): FileSet => ({ given: named, wanted: 'one', files: [{ tenant: null, named }] })
const folder = (given: string, ...names: readonly string[]): FileSet => ({
  given,
  wanted: 'all',
  files: names.map((name) => ({ tenant: null, named: `${given}/${name}` })),
})
const tenant = (id: string, ...paths: readonly string[]): FileSet => ({
  given: id,
  wanted: 'all',
  files: paths.map((named) => ({ tenant: tenantId(id), named })),
})

const pairsOf = (a: FileSet, b: FileSet): readonly string[] =>
  pairFiles({ a, b }).map((found) =>
    found.kind === 'pair'
      ? `${found.name}: ${found.targets.a.named} ${found.targets.b.named}`
      : `${found.name}: ${found.kind} ${found.target.named}`,
  )

test('where each side has one file these two are paired, whatever they are called and however they were given', () => {
  expect(pairsOf(file('a.db'), file('b.db'))).toEqual(['a.db: a.db b.db'])
  expect(pairsOf(folder('x', 'copy.db'), tenant('acme', '/srv/acme.db'))).toEqual(['copy.db: x/copy.db /srv/acme.db'])
})

test('several are paired by name in the order of A, and those that only one side has follow by that word', () => {
  expect(
    pairsOf(
      tenant('acme', '/srv/main.db', '/srv/old.db', '/srv/search.db'),
      folder('x', '2-search.db/search.db', 'main.db', 'new.db'),
    ),
  ).toEqual([
    'main.db: /srv/main.db x/main.db',
    'old.db: only-in-a /srv/old.db',
    'search.db: /srv/search.db x/2-search.db/search.db',
    'new.db: only-in-b x/new.db',
  ])
  // A folder of one is a set all the same, when the other side has several.
  expect(pairsOf(folder('x', 'main.db'), folder('y', 'main.db', 'old.db'))).toEqual([
    'main.db: x/main.db y/main.db',
    'old.db: only-in-b y/old.db',
  ])
})

test(
  'of a single file only the counterpart is asked for, on whichever ' +
    'side it is; others may be called what they like',
  () => {
    const several = tenant('acme', '/srv/main.db', '/srv/1/log.db', '/srv/2/log.db')
    expect(pairsOf(file('./main.db'), several)).toEqual(['main.db: ./main.db /srv/main.db'])
    expect(pairsOf(several, file('./main.db'))).toEqual(['main.db: /srv/main.db ./main.db'])
  },
)

test('a name of two files or of none is refused, with advice', () => {
  const twice = tenant('acme', '/srv/1/log.db', '/srv/2/log.db')
  const refused: readonly (readonly [FileSet, FileSet, RegExp, RegExp])[] = [
    [twice, folder('x', 'log.db'), /^acme has several database files called log\.db/, /holdfast pull/],
    [file('log.db'), twice, /^acme has several database files called log\.db/, /one by one/],
    [
      tenant('acme', '/srv/log.db'),
      folder('x', 'log.db', '2-log.db/log.db'),
      /^x has several database files called log\.db/,
      /name the files themselves/,
    ],
    [
      file('other.db'),
      folder('x', ...Array.from({ length: 12 }, (_, i) => `${i}.db`)),
      /^x has 12 database files, and none is called other\.db: 0\.db, .* 7\.db and 4 more$/,
      /the same name/,
    ],
    [
      folder('x', 'a.db', 'b.db'),
      tenant('acme', '/srv/c.db'),
      /^x and acme have no file of the same name: a\.db, b\.db in the one, c\.db in the other$/,
      /the same name/,
    ],
  ]
  for (const [a, b, message, hint] of refused) {
    expect(() => pairFiles({ a, b })).toThrow(
      expect.objectContaining({
        code: 'USAGE',
        message: expect.stringMatching(message) as string,
        hint: expect.stringMatching(hint) as string,
      }),
    )
  }
})
