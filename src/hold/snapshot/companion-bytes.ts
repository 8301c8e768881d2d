/** How much of a WAL or a journal is worth copying: it may be a hole of terabytes behind its last frame or record. */
import { endOfData } from '../../host/files/holes.ts'

/**
 * Bytes that hold all frames of a WAL, or all records of a journal, that there can be. None begins with zeros, though
 * the page of the last one may end in a hole. A few of the zeros behind it stay: what has data at its very end might
 * name a super-journal there.
 */
export async function companionBytesOf(descriptor: number, size: number): Promise<number> {
  return Math.min(size, (await endOfData(descriptor)) + frameBytesMax)
}

/** The largest page, with what goes with it in a frame or a record. */
const frameBytesMax = 65_536 + 24
