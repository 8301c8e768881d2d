/**
 * Keys of features that this version does not have. They are refused: a user who configures alarms must not believe
 * that holdfast sends them. A new feature moves its keys from here into the schema.
 */

import type { KeyProblem } from './key-conflicts.ts'

/** By key: what holdfast does not do, and what to do instead. */
export const futureKeys: Readonly<Record<string, string>> = {
  accounts: 'holdfast mends nothing yet',
  alerts: 'holdfast sends no alarms yet; let your monitoring ask `holdfast status`',
  backups: 'holdfast keeps and verifies no backups yet; `holdfast pull ID DIR` keeps a snapshot',
  'check.rehearse': 'holdfast rehearses no remedy yet',
  heal: 'holdfast mends nothing yet',
  quarantine: 'holdfast mends nothing yet',
  registry: 'holdfast keeps no copy of the list of tenants yet; each run asks the service',
  sweep: 'a sweep takes all tenants, whatever their age; `holdfast status --max-age 26h` reports which are too old',
}

/**
 * Offered as the nearest known key to a misspelt one. The next attempt then says that the key is not in this version.
 */
export const futureSections: readonly string[] = Object.keys(futureKeys).filter((key) => !key.includes('.'))

/** One problem for each of these keys. None for `alerts:` with all of its lines commented out. */
export function notInThisVersion(document: unknown): readonly KeyProblem[] {
  return Object.entries(futureKeys).flatMap(([key, reason]) => {
    const path = key.split('.')
    return isGiven(valueAt(document, path)) ? [{ path, message: `is not in this version: ${reason}; take it out` }] : []
  })
}

/** The document without these keys. */
export function withoutFutureKeys(document: unknown): unknown {
  if (!isSection(document)) return document
  return pruned(document, '')
}

function pruned(section: Readonly<Record<string, unknown>>, prefix: string): Readonly<Record<string, unknown>> {
  const kept = Object.entries(section).filter(([key]) => !Object.hasOwn(futureKeys, prefix + key))
  const within = (key: string, value: unknown): unknown =>
    prefix === '' && isSection(value) ? pruned(value, `${key}.`) : value
  return Object.fromEntries(kept.map(([key, value]) => [key, within(key, value)]))
}

function valueAt(document: unknown, path: readonly string[]): unknown {
  const stepInto = (at: unknown, step: string): unknown =>
    isSection(at) && Object.hasOwn(at, step) ? at[step] : undefined
  return path.reduce(stepInto, document)
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null
const isSection = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
