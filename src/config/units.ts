/** Durations and sizes as people write them. Each function returns undefined for text that it does not understand. */

const durationUnits: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
export const durationUnitNames: readonly string[] = Object.keys(durationUnits)

/** `250ms`, `30s`, `5m`, `24h`, `2d`, `1.5s` → whole milliseconds. A number without a unit is refused. */
export function durationMs(text: string): number | undefined {
  return quantity(text, durationUnits)
}

/** `kB` and the like are decimal, as on disks; `KiB` and the like are binary. */
const sizeUnits: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
}
export const sizeUnitNames: readonly string[] = Object.keys(sizeUnits)

/** `512B`, `8MB`, `1GB`, `64MiB` → whole bytes. */
export function sizeBytes(text: string): number | undefined {
  return quantity(text, sizeUnits)
}

function quantity(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const [, digits, name] = /^(\d{1,12}(?:\.\d{1,6})?) ?([A-Za-z]{1,3})$/.exec(text) ?? []
  if (digits === undefined || name === undefined || !Object.hasOwn(units, name)) return undefined
  const amount = Math.round(Number(digits) * (units[name] ?? Number.NaN))
  return Number.isSafeInteger(amount) ? amount : undefined
}
