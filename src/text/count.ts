/** `2 tenants`, `1 file`, `3,000 rows`. */
export const count = (total: number, one: string, many = `${one}s`): string =>
  `${grouped(total)} ${total === 1 ? one : many}`

/** `3,000`. Not by the locale: that would start ICU, and a report says the same everywhere. */
export const grouped = (total: number): string => String(total).replaceAll(/\B(?=(?:\d{3})+$)/g, ',')
