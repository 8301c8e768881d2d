/**
 * Every wound once, each in another journal mode: the right remedy is offered, rehearsed, applied and undone. The long
 * test has every wound in every journal mode.
 */
import { describe, expect, it } from 'vitest'
import { moduleCases, richCases, surgeonCases, uniqueViolated, type RemedyCase } from '../../support/remedies/cases.ts'
import { layouts, type Layout } from '../../support/remedies/layouts.ts'
import { fits, repairAll } from '../../support/remedies/matrix.ts'
import { varied } from '../../support/remedies/subjects.ts'

/** Files of one run. */
const batch = 12

const inTurn = (cases: readonly RemedyCase[], from: number): readonly (readonly [RemedyCase, Layout])[] =>
  cases.map((one, at) => {
    const layout = layouts[(at + from) % layouts.length] ?? 'DELETE'
    return [one, fits(one, layout) ? layout : 'WAL'] as const
  })

const groups = {
  'the varied database': inTurn([...surgeonCases(varied(1024), false), uniqueViolated(1024)], 0),
  'the varied database with auto-vacuum': inTurn(
    surgeonCases(varied(1024, 'auto-vacuum'), true).filter(({ remedy }) => remedy !== 'lost'),
    2,
  ),
  'the varied database in UTF-16': inTurn(
    surgeonCases(varied(1024, 'UTF-16'), false).filter(({ remedy }) => remedy === 'rebuild'),
    1,
  ),
  'every kind of table': inTurn(richCases(1024), 3),
  'full-text tables and R-Trees': inTurn(moduleCases(1024), 4),
} as const

describe.each(Object.entries(groups))('repair of %s', (_, cases) => {
  const batches = Array.from({ length: Math.ceil(cases.length / batch) }, (_, at) =>
    cases.slice(at * batch, (at + 1) * batch),
  )
  it.each(batches.map((some, at) => [at + 1, some] as const))(
    'offers the right remedy, applies it and undoes it (batch %i)',
    async (_, some) => {
      const { complaints } = await repairAll(some)
      expect(complaints.join('\n')).toBe('')
    },
  )
})
