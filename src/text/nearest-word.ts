/** Finds the known name that a wrong name was most likely meant to be. */

import leven from 'leven'

/** A longer name is not a typing mistake, and the distance costs the product of both lengths. */
const lengthMax = 64

/** The nearest of the known names, without regard to case; null if none is near. */
export function nearest(name: string, known: readonly string[]): string | null {
  if (name.length > lengthMax) return null
  const ranked = known
    .map((candidate) => ({ candidate, distance: leven(name.toLowerCase(), candidate.toLowerCase()) }))
    .toSorted((one, other) => one.distance - other.distance)
  const [best] = ranked
  if (best === undefined) return null
  return best.distance <= Math.max(1, Math.floor(best.candidate.length / 3)) ? best.candidate : null
}
