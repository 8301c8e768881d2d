/** The cases of the long tests of the remedies, and of their soak. */
import { moduleCases, richCases, surgeonCases, type RemedyCase } from './cases.ts'
import { varied } from './subjects.ts'

/** Small, usual and the largest page sizes, in both encodings. */
export const toRepair = (): readonly RemedyCase[] => [
  ...surgeonCases(varied(512), false),
  ...surgeonCases(varied(4096), false),
  ...surgeonCases(varied(1024, 'auto-vacuum'), true),
  ...surgeonCases(varied(8192, 'auto-vacuum'), true),
  ...surgeonCases(varied(2048, 'UTF-16'), false),
  ...surgeonCases(varied(65_536), false),
  ...richCases(1024),
  ...richCases(4096),
  ...moduleCases(1024),
  ...moduleCases(4096),
]

/** Wounds that only a backup helps with. */
export const toRestore = (): readonly RemedyCase[] =>
  [
    ...surgeonCases(varied(1024), false),
    ...surgeonCases(varied(4096, 'auto-vacuum'), true),
    ...surgeonCases(varied(2048, 'UTF-16'), false),
    ...richCases(1024),
    ...richCases(4096),
    ...moduleCases(4096),
  ].filter(({ remedy }) => remedy === 'lost' || remedy === 'whole')
