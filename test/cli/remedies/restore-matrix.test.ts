/** Some wounds that only a backup helps with, in turn in each journal mode. The long test has all of them. */
import { expect, it } from 'vitest'
import { moduleCases, richCases, surgeonCases } from '../../support/remedies/cases.ts'
import { layouts } from '../../support/remedies/layouts.ts'
import { fits } from '../../support/remedies/matrix.ts'
import { restoreOne, salvageOne } from '../../support/remedies/restores.ts'
import { varied } from '../../support/remedies/subjects.ts'

const lost = [...surgeonCases(varied(1024), false), ...richCases(1024), ...moduleCases(1024)].filter(
  ({ remedy }) => remedy === 'lost',
)
const some = lost
  .filter(({ name }, at) => at % 5 === 0 || name.includes('R-Tree'))
  .map((one, at) => {
    const layout = layouts[at % layouts.length] ?? 'DELETE'
    return [one.name, fits(one, layout) ? layout : 'WAL', one] as const
  })

it.each(some)('restore: %s (%s)', async (_, layout, one) => {
  expect((await restoreOne(one, layout)).join('\n')).toBe('')
})

it.each(some)('salvage: %s (%s)', async (_, layout, one) => {
  expect((await salvageOne(one, layout)).join('\n')).toBe('')
})
