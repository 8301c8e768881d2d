/** One pattern from several that stand on lines of their own. All have the same flags. */
export const longPattern = (first: RegExp, ...more: readonly RegExp[]): RegExp =>
  new RegExp([first, ...more].map(({ source }) => source).join(''), first.flags)
