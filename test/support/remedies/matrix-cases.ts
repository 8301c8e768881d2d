/** The cases of the long tests of the remedies, and of their soak. */
import { moduleCases, richCases, surgeonCases, type RemedyCase } from './cases.ts'
import { patient } from './subjects.ts'

/** Small, usual and the largest page sizes, in both encodings. */
export const toRepair = (): readonly RemedyCase[] => [
  ...surgeonCases(patient(512), false),
  ...surgeonCases(patient(4096), false),
  ...surgeonCases(patient(1024, 'auto-vacuum'), true),
  ...surgeonCases(patient(8192, 'auto-vacuum'), true),
  ...surgeonCases(patient(2048, 'UTF-16'), false),
  ...surgeonCases(patient(65_536), false),
  ...richCases(1024),
  ...richCases(4096),
  ...moduleCases(1024),
  ...moduleCases(4096),
]

/** Wounds that only a backup helps with. */
export const toRestore = (): readonly RemedyCase[] =>
  [
    ...surgeonCases(patient(1024), false),
    ...surgeonCases(patient(4096, 'auto-vacuum'), true),
    ...surgeonCases(patient(2048, 'UTF-16'), false),
    ...richCases(1024),
    ...richCases(4096),
    ...moduleCases(4096),
  ].filter(({ remedy }) => remedy === 'lost' || remedy === 'whole')
