/** How much of a WAL or a journal is copied: behind its last frame or record there may be a hole of terabytes. */
import { endOfData } from '../../host/files/holes.ts'

/**
 * Bytes that contain every frame of a WAL, or every record of a journal. No frame begins with zeros, but the page of
 * the last one may end in a hole. Some zeros behind it are copied too, so that the end of the copy is not taken for a
 * super-journal's name.
 */
export async function companionBytesOf(descriptor: number, size: number): Promise<number> {
  return Math.min(size, (await endOfData(descriptor)) + frameBytesMax)
}

/** The largest page, with its header in a frame or a record. */
const frameBytesMax = 65_536 + 24
