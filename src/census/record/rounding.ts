/**
 * Finds out whether two values differ by rounding only. Functions of SQLite round differently from version to version:
 * `round(x, 2)`, `printf('%.2f', x)`, `x || ''` and others. An entry may be right by the rules of the version that
 * wrote it.
 */

import type { SalvagedValue } from '../../model/result/finding.ts'

/** The relative error of numbers with 53 bits after a few operations. */
const relativeMax = 1e-12

export function differByRounding(one: SalvagedValue, other: SalvagedValue): boolean {
  if (JSON.stringify(one) === JSON.stringify(other)) return true
  if (typeof one === 'number' && typeof other === 'number') return areNear(String(one), String(other))
  return typeof one === 'string' && typeof other === 'string' && areTextsNear(one, other)
}

const numberPattern = /[0-9]*\.[0-9]+(?:e[+-]?[0-9]+)?|[0-9]+(?:e[+-]?[0-9]+)?/gi

/** True if the texts differ only in numbers that are near each other. */
function areTextsNear(one: string, other: string): boolean {
  const [ones, others] = [one.match(numberPattern) ?? [], other.match(numberPattern) ?? []]
  return (
    ones.length === others.length &&
    one.replace(numberPattern, '0') === other.replace(numberPattern, '0') &&
    ones.every((number, i) => number === others[i] || areNear(number, others[i] ?? ''))
  )
}

/** True if the numbers differ by at most one in the last digit, as rounding may do. False for whole numbers. */
function areNear(one: string, other: string): boolean {
  if (!one.includes('.') && !other.includes('.')) return false
  const [a, b] = [Number(one), Number(other)]
  const most = Math.max(
    relativeMax * Math.max(Math.abs(a), Math.abs(b)),
    1.001 * 10 ** -Math.max(decimalsOf(one), decimalsOf(other)),
  )
  // Numbers that are too large become infinite, and are then equal.
  return a === b || Math.abs(a - b) <= most
}

/** Number of digits behind the decimal point, which the exponent moves. */
function decimalsOf(number: string): number {
  const [, digits = '', exponent = '0'] = /^-?[0-9]*\.?([0-9]*)(?:e([+-]?[0-9]+))?$/i.exec(number) ?? []
  return digits.length - Number(exponent)
}
