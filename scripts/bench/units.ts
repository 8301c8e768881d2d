/** Sizes, times, spreads and tables as text. */

const factors = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9 } as const

/** `500MB`, `1GB`, `4096`. @throws {TypeError} */
export function parseBytes(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*(B|KB|MB|GB)?$/i.exec(text.trim()) ?? []
  if (number === undefined) throw new TypeError(`${JSON.stringify(text)} is not a size such as 500MB`)
  return Math.round(Number(number) * factors[(unit ?? 'B').toUpperCase() as keyof typeof factors])
}

export function formatBytes(bytes: number): string {
  if (bytes >= 999.5e6) return `${(bytes / 1e9).toFixed(bytes % 1e9 < 5e7 ? 0 : 1)} GB`
  if (bytes >= 999.5e3) return `${Math.round(bytes / 1e6)} MB`
  return bytes >= 1e3 ? `${Math.round(bytes / 1e3)} KB` : `${bytes} B`
}

export interface Spread {
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** `p99` is one of the values; of fewer than a hundred it is the largest. Without values all are NaN. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) }
}

/** One decimal below 10 ms, whole milliseconds below 10 s. NaN becomes `-`. */
export const formatMs = (ms: number): string =>
  Number.isNaN(ms)
    ? '-'
    : ms >= 10_000
      ? `${(ms / 1000).toFixed(1)} s`
      : `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`

/** The first column is aligned to the left, the others to the right. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
