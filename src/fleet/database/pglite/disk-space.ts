/**
 * The room that the database keeps on its disk. PGlite that cannot write its log ends in a loop without end, and so
 * does the process that has it open. So this database only reads before the disk is full.
 */

import { statfsSync } from 'node:fs'

/** Several files of the log, which has 16 MB each, and the largest statement of holdfast. */
const roomBytesMin = 128_000_000
/** A new database has 45 MB. */
const newRoomBytesMin = 192_000_000

/** Why nothing can be written; null if there is room. @throws the error of statfs */
export const lacksRoom = (dir: string): string | null => lacks(dir, roomBytesMin)

/** The same for a new database. @param parent of its folder */
export const lacksRoomForNew = (parent: string): string | null => lacks(parent, newRoomBytesMin)

function lacks(folder: string, bytesMin: number): string | null {
  const { bavail, bsize } = statfsSync(folder)
  const freeBytes = bavail * bsize
  if (freeBytes >= bytesMin) return null
  return `${Math.floor(freeBytes / 1e6)} MB are free in ${folder}, and it keeps ${bytesMin / 1e6} MB free`
}
