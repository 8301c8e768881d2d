/** Every wound in every journal mode and at every page size in turn, in both encodings. */
import { expect, it } from 'vitest'
import { toRepair } from '../../support/remedies/matrix-cases.ts'
import { everyLayoutInTurn, repairAll } from '../../support/remedies/matrix.ts'

const bySubject = Object.entries(
  Object.groupBy(everyLayoutInTurn(toRepair()), ([{ subject }, layout]) => `${subject.name}, ${layout}`),
)

it.each(bySubject)(
  'repair of %s: the right remedy is offered, applied and undone',
  async (_, cases) => {
    const { complaints } = await repairAll(cases ?? [])
    expect(complaints.join('\n')).toBe('')
  },
  30 * 60_000,
)
