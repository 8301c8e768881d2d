/** Versions of SQLite: in a header as a number, 3054001 for 3.54.1. */

/** null where the number is none that a SQLite of version 3 would write, or is left out, as before 3.7. */
export function versionText(number: number): string | null {
  if (number < 3_000_000 || number > 3_999_999) return null
  return [Math.floor(number / 1_000_000), Math.floor(number / 1000) % 1000, number % 1000].join('.')
}

/** Is the first version newer than the second? */
export function isNewer(version: string, than: string): boolean {
  const [a, b] = [version, than].map((text) => text.split('.').map(Number))
  const at = [0, 1, 2].find((i) => (a?.[i] ?? 0) !== (b?.[i] ?? 0))
  return at !== undefined && (a?.[at] ?? 0) > (b?.[at] ?? 0)
}
