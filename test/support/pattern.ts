/** One pattern of several, each of which fits on a line. @param parts with the same flags */
export const pattern = (...parts: readonly [RegExp, ...RegExp[]]): RegExp =>
  new RegExp(parts.map(({ source }) => source).join(''), parts[0].flags)
