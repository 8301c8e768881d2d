/** Every wound in every journal mode, at small, usual and the largest page sizes, in both encodings. */
import { expect, it } from 'vitest'
import { moduleCases, richCases, surgeonCases, type RemedyCase } from '../../support/remedies/cases.ts'
import { layouts } from '../../support/remedies/layouts.ts'
import { fits, repairAll } from '../../support/remedies/matrix.ts'
import { patient } from '../../support/remedies/subjects.ts'

const subjects: Readonly<Record<string, readonly RemedyCase[]>> = {
  'the patient, 512': surgeonCases(patient(512), false),
  'the patient, 4096': surgeonCases(patient(4096), false),
  'the patient with auto-vacuum, 1024': surgeonCases(patient(1024, 'auto-vacuum'), true),
  'the patient with auto-vacuum, 8192': surgeonCases(patient(8192, 'auto-vacuum'), true),
  'the patient in UTF-16, 2048': surgeonCases(patient(2048, 'UTF-16'), false),
  'the patient, 65536': surgeonCases(patient(65_536), false),
  'every kind of table, 1024': richCases(1024),
  'every kind of table, 4096': richCases(4096),
  'full-text tables and R-Trees, 1024': moduleCases(1024),
  'full-text tables and R-Trees, 4096': moduleCases(4096),
}

it.each(
  Object.entries(subjects).flatMap(([name, cases]) =>
    layouts.map((layout) => [name, layout, cases.filter((one) => fits(one, layout))] as const),
  ),
)(
  'repair of %s, %s: the right remedy is offered, applied and undone',
  async (_, layout, cases) => {
    const { complaints } = await repairAll(cases.map((one) => [one, layout] as const))
    expect(complaints.join('\n')).toBe('')
  },
  30 * 60_000,
)
