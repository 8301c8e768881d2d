/** A file that is written from its beginning to its end in large pieces, and may then be copied into another. */
import { closeSync, readSync, writeSync } from 'node:fs'

/** Characters that wait for a write. */
const waitingMax = 1 << 16
const pieceBytes = 1 << 16

export class BufferedFile implements Disposable {
  readonly descriptor: number
  #waiting = ''

  /** @param descriptor of an empty file, for reading and writing. It belongs to this object from now on. */
  constructor(descriptor: number) {
    this.descriptor = descriptor
  }

  /** @throws the error of write */
  write(text: string): void {
    this.#waiting += text
    if (this.#waiting.length >= waitingMax) this.flush()
  }

  flush(): void {
    const bytes = Buffer.from(this.#waiting)
    this.#waiting = ''
    writeAll(this.descriptor, bytes)
  }

  /** Appends all that was written here to another file. */
  copyTo(other: BufferedFile): void {
    this.flush()
    other.flush()
    const piece = Buffer.alloc(pieceBytes)
    for (let at = 0; ;) {
      const got = readSync(this.descriptor, piece, 0, piece.length, at)
      if (got === 0) return
      writeAll(other.descriptor, piece.subarray(0, got))
      at += got
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.descriptor)
  }
}

function writeAll(descriptor: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length;) done += writeSync(descriptor, bytes, done)
}
