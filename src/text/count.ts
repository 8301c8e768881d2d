/** `2 tenants`, `1 file`, `3,000 rows`. */
export const count = (total: number, one: string, many = `${one}s`): string =>
  `${groupDigits(total)} ${total === 1 ? one : many}`

/** `3,000`. Independent of the locale: a report is the same everywhere, and a locale would start ICU. */
export const groupDigits = (total: number): string => String(total).replaceAll(/\B(?=(?:\d{3})+$)/g, ',')

/** `a, b and 1,234 more`. @param shown the first of `total` */
export const listFirst = (shown: readonly string[], total: number): string =>
  `${shown.join(', ')}${total > shown.length ? ` and ${groupDigits(total - shown.length)} more` : ''}`
