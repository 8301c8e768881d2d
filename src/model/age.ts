/** Clocks are set by seconds. What lies further ahead was written while a clock was wrong, and is as good as old. */
const aheadMsMax = 60_000

/** In ms; null for a time that lies ahead. */
export const ageOf = (at: number, now: number): number | null => (at - now > aheadMsMax ? null : Math.max(0, now - at))
