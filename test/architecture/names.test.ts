/** One name for one thing, one thing for one name (.github/CONTRIBUTING.md, "Names"). */
import { expect, it } from 'vitest'
import { sourceModules } from '../support/sources.ts'

/** Names that two files must share, each with the reason. */
const shared: ReadonlyMap<string, string> = new Map([
  ['programBeside', 'Vitest loads test/support/built-program.ts in the place of the other'],
])

it('no type, class, function or constant is exported by two files under the same name', () => {
  const exported = Map.groupBy(
    sourceModules.flatMap(({ path, exports }) =>
      [...new Map(exports.map((one) => [one.text, one])).values()].map(({ text, line }) => ({
        name: text,
        at: `${path}:${line}`,
      })),
    ),
    ({ name }) => name,
  )
  const twice = [...exported].filter(([name, places]) => places.length > 1 && !shared.has(name))
  expect(
    twice.map(
      ([name, places]) => `${places.map(({ at }) => at).join(', ')}: each exports ${name}; rename by what it is`,
    ),
  ).toEqual([])
})
