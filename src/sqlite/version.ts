/** Versions of SQLite. A header has them as a number: 3054001 for 3.54.1. */

/** null if no SQLite of version 3 writes this number. Before 3.7 SQLite left it out. */
export function versionText(number: number): string | null {
  if (number < 3_000_000 || number > 3_999_999) return null
  return [Math.floor(number / 1_000_000), Math.floor(number / 1000) % 1000, number % 1000].join('.')
}

/** True if `version` is newer than `than`. */
export function isNewer(version: string, than: string): boolean {
  const [a, b] = [version, than].map((text) => text.split('.').map(Number))
  const at = [0, 1, 2].find((i) => (a?.[i] ?? 0) !== (b?.[i] ?? 0))
  return at !== undefined && (a?.[at] ?? 0) > (b?.[at] ?? 0)
}
