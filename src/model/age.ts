/** Clocks may differ by seconds. A time further in the future was written while a clock was wrong. */
const aheadMsMax = 60_000

/** The age in ms; null for a time in the future, which callers treat as old. */
export const ageOf = (at: number, now: number): number | null => (at - now > aheadMsMax ? null : Math.max(0, now - at))
