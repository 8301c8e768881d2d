/** Every wound that only a backup helps with, in every journal mode, restored and salvaged. */
import { expect, it } from 'vitest'
import { moduleCases, richCases, surgeonCases } from '../../support/remedies/cases.ts'
import { layouts } from '../../support/remedies/layouts.ts'
import { fits } from '../../support/remedies/matrix.ts'
import { restoreOne, salvageOne } from '../../support/remedies/restores.ts'
import { patient } from '../../support/remedies/subjects.ts'

const lost = [
  ...surgeonCases(patient(1024), false),
  ...surgeonCases(patient(4096, 'auto-vacuum'), true),
  ...surgeonCases(patient(2048, 'UTF-16'), false),
  ...richCases(1024),
  ...richCases(4096),
  ...moduleCases(4096),
].filter(({ remedy }) => remedy === 'lost' || remedy === 'whole')

const all = lost.flatMap((one) =>
  layouts.filter((layout) => fits(one, layout)).map((layout) => [one.name, one.subject.name, layout, one] as const),
)

/** Each starts the program seven times, which takes a minute beside other work. */
const longestMs = 5 * 60_000

it.each(all)(
  'restore: %s (%s, %s)',
  async (_, _subject, layout, one) => {
    expect((await restoreOne(one, layout)).join('\n')).toBe('')
  },
  longestMs,
)

it.each(all)(
  'salvage: %s (%s, %s)',
  async (_, _subject, layout, one) => {
    expect((await salvageOne(one, layout)).join('\n')).toBe('')
  },
  longestMs,
)
