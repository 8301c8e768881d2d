/**
 * Keys of features that this version does not have. They are refused: a user who configures alarms must not believe
 * that holdfast sends them. A new feature moves its keys from here into the schema.
 */

import type { KeyProblem } from './key-conflicts.ts'

/** By key: what holdfast does not do, and what to do instead. */
export const futureKeys: Readonly<Record<string, string>> = {
  sweep: 'a sweep takes all tenants, whatever their age; `holdfast status --max-age 26h` reports which are too old',
}

/** One problem for each of these keys. None for `alerts:` with all of its lines commented out. */
export function notInThisVersion(document: unknown): readonly KeyProblem[] {
  if (!isSection(document)) return []
  return Object.entries(futureKeys).flatMap(([key, reason]) =>
    (Object.hasOwn(document, key) ? document[key] : null) === null
      ? []
      : [{ path: [key], message: `is not in this version: ${reason}; take it out` }],
  )
}

/** The document without these keys. */
export function withoutFutureKeys(document: unknown): unknown {
  if (!isSection(document)) return document
  return Object.fromEntries(Object.entries(document).filter(([key]) => !Object.hasOwn(futureKeys, key)))
}

const isSection = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
