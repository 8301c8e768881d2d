/** Collects the first of many keys, in the order NULL, numbers, text, BLOBs. */

import type { KeyColumn, RowKey } from '../model/result/finding.ts'

/** Keys that a report lists for each kind of difference. */
export const keysMax = 20

export class FirstKeys {
  #keys: RowKey[] = []

  add(key: RowKey): void {
    const last = this.#keys[keysMax - 1]
    if (last !== undefined && comparePrintedKeys(key, last) >= 0) return
    const before = this.#keys.findLastIndex((one) => comparePrintedKeys(one, key) <= 0)
    this.#keys.splice(before + 1, 0, key)
    this.#keys.length = Math.min(this.#keys.length, keysMax)
  }

  get keys(): readonly RowKey[] {
    return this.#keys
  }
}

/** Orders rowids as numbers, and other keys column by column. */
export function comparePrintedKeys(a: RowKey, b: RowKey): number {
  if (!Array.isArray(a) || !Array.isArray(b)) return compareRowids(a as number | string, b as number | string)
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const order = compareColumns(a[i] as KeyColumn, b[i] as KeyColumn)
    if (order !== 0) return order
  }
  return a.length - b.length
}

/** Rowids beyond 2^53 are decimal strings. */
function compareRowids(a: number | string, b: number | string): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  const x = BigInt(a)
  const y = BigInt(b)
  return x < y ? -1 : x > y ? 1 : 0
}

const rankOf = (column: KeyColumn): number =>
  column === null ? 0 : typeof column === 'number' ? 1 : typeof column === 'string' ? 2 : 3

function compareColumns(a: KeyColumn, b: KeyColumn): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  if (rankOf(a) !== rankOf(b)) return rankOf(a) - rankOf(b)
  const x = textOf(a)
  const y = textOf(b)
  return x < y ? -1 : x > y ? 1 : 0
}

const textOf = (column: KeyColumn): string => (typeof column === 'object' ? (column?.blob ?? '') : String(column))
