/**
 * Do two values differ by rounding alone? SQLite's functions round otherwise from version to version: `round(x, 2)`,
 * `printf('%.2f', x)`, `x || ''` and the like. The one who wrote an entry may be right by its own rules.
 */

import type { SalvagedValue } from '../../model/result/finding.ts'

/** What binary numbers of 53 bits lose over a few steps of arithmetic. */
const relativeMax = 1e-12

export function differByRounding(one: SalvagedValue, other: SalvagedValue): boolean {
  if (JSON.stringify(one) === JSON.stringify(other)) return true
  if (typeof one === 'number' && typeof other === 'number') return areNear(String(one), String(other))
  return typeof one === 'string' && typeof other === 'string' && areTextsNear(one, other)
}

const numberPattern = /[0-9]*\.[0-9]+(?:e[+-]?[0-9]+)?|[0-9]+(?:e[+-]?[0-9]+)?/gi

/** The same text but for numbers in it. */
function areTextsNear(one: string, other: string): boolean {
  const [ones, others] = [one.match(numberPattern) ?? [], other.match(numberPattern) ?? []]
  return (
    ones.length === others.length &&
    one.replace(numberPattern, '0') === other.replace(numberPattern, '0') &&
    ones.every((number, i) => number === others[i] || areNear(number, others[i] ?? ''))
  )
}

/** At a tie the last digit goes up or down by one. Whole numbers are not rounded: these have no last digit to lose. */
function areNear(one: string, other: string): boolean {
  if (!one.includes('.') && !other.includes('.')) return false
  const [a, b] = [Number(one), Number(other)]
  const most = Math.max(
    relativeMax * Math.max(Math.abs(a), Math.abs(b)),
    1.001 * 10 ** -Math.max(decimalsOf(one), decimalsOf(other)),
  )
  // Beyond what a number holds both are infinite.
  return a === b || Math.abs(a - b) <= most
}

/** Digits behind the point; the exponent moves it. */
function decimalsOf(number: string): number {
  const [, digits = '', exponent = '0'] = /^-?[0-9]*\.?([0-9]*)(?:e([+-]?[0-9]+))?$/i.exec(number) ?? []
  return digits.length - Number(exponent)
}
