/** Every wound that only a backup helps with, restored and salvaged in every journal mode and subject in turn. */
import { expect, it } from 'vitest'
import { toRestore } from '../../support/remedies/matrix-cases.ts'
import { everyLayoutInTurn } from '../../support/remedies/matrix.ts'
import { restoreOne, salvageOne } from '../../support/remedies/restores.ts'

const all = everyLayoutInTurn(toRestore()).map(([one, layout]) => [one.name, one.subject.name, layout, one] as const)

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
