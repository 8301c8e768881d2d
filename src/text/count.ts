/** `2 tenants`, `1 file`, `3,000 rows`. */
export const count = (total: number, one: string, many = `${one}s`): string =>
  `${groupDigits(total)} ${total === 1 ? one : many}`

/** `3,000`. Independent of the locale: a report is the same everywhere, and a locale would start ICU. */
export const groupDigits = (total: number): string => String(total).replaceAll(/\B(?=(?:\d{3})+$)/g, ',')
