/** Messages through a pipe: four bytes of length, little-endian, then the value as V8 clones it (node:v8). */
import { DefaultSerializer, deserialize } from 'node:v8'
import { Bug } from '../../model/bug.ts'

const lengthBytes = 4
/** A longer message is refused: no reading child may take as much memory, unless it was given more than usual. */
const frameBytesMax = 1 << 30

/** @throws DataCloneError if the value cannot be cloned */
export function frameOf(message: unknown): Buffer {
  const serializer = new DefaultSerializer()
  serializer.writeRawBytes(Buffer.alloc(lengthBytes))
  serializer.writeHeader()
  serializer.writeValue(message)
  const frame = serializer.releaseBuffer()
  frame.writeUInt32LE(frame.length - lengthBytes)
  return frame
}

/** What came is no message: each end of a pipe is a program of ours, so one of them is at fault. */
export class BrokenFrame extends Bug {}

/** Joins the pieces that a pipe delivers. */
export class Frames<Message> {
  #parts: Buffer[] = []
  #bytes = 0

  /**
   * @returns the messages that end in these bytes
   * @throws {BrokenFrame} if the bytes are no message; later messages can then not be found either
   */
  take(bytes: Buffer): readonly Message[] {
    this.#parts.push(bytes)
    this.#bytes += bytes.length
    const messages: Message[] = []
    for (
      let length = this.#nextLength();
      length !== null && this.#bytes >= lengthBytes + length;
      length = this.#nextLength()
    ) {
      const all = this.#join()
      messages.push(valueIn(all.subarray(lengthBytes, lengthBytes + length)) as Message)
      this.#parts = [all.subarray(lengthBytes + length)]
      this.#bytes -= lengthBytes + length
    }
    return messages
  }

  /** Length of the message that has begun; null until its four bytes are there. */
  #nextLength(): number | null {
    if (this.#bytes < lengthBytes) return null
    const first = this.#parts[0]
    const length = (first !== undefined && first.length >= lengthBytes ? first : this.#join()).readUInt32LE()
    if (length > frameBytesMax) throw new BrokenFrame(`a message of ${length} bytes is announced`)
    return length
  }

  #join(): Buffer {
    const [first, ...more] = this.#parts
    const all = first !== undefined && more.length === 0 ? first : Buffer.concat(this.#parts)
    this.#parts = [all]
    return all
  }
}

function valueIn(bytes: Buffer): unknown {
  try {
    return deserialize(bytes)
  } catch (error) {
    throw new BrokenFrame(error instanceof Error ? error.message : String(error), { cause: error })
  }
}
