/**
 * What a run comes to until it is printed. Where there may be much of it, it goes to a private file without a name: a
 * sweep of ten thousand tenants takes no more memory than one of ten. Where no file can be written (a full disk, no
 * TMPDIR) it stays in memory: nothing is lost for the want of room.
 */
import { closeSync, readSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { openUnnamedFile } from '../../host/files/unnamed-file.ts'

const pieceBytes = 256 * 1024

/** @typeParam Value comes back from a file as JSON has it */
export class Spool<Value> implements Disposable {
  readonly #kind: 'file' | 'memory'
  readonly #kept: Value[] = []
  #file: number | null = null
  #fileBytes = 0

  /** `file`: to be read with `all`; `memory`: to be taken with `kept`. */
  constructor(kind: 'file' | 'memory') {
    this.#kind = kind
  }

  add(value: Value): void {
    if (this.#kind === 'memory' || this.#kept.length > 0 || !this.#append(`${JSON.stringify(value)}\n`))
      this.#kept.push(value)
  }

  get kept(): readonly Value[] {
    return this.#kept
  }

  /** All of them in their order. */
  *all(): Generator<Value> {
    if (this.#file !== null) yield* this.#inFile(this.#file)
    yield* this.#kept
  }

  *#inFile(file: number): Generator<Value> {
    const buffer = Buffer.alloc(pieceBytes)
    let rest = Buffer.alloc(0)
    for (let position = 0; position < this.#fileBytes;) {
      const length = readSync(file, buffer, 0, Math.min(pieceBytes, this.#fileBytes - position), position)
      position += length
      rest = Buffer.concat([rest, buffer.subarray(0, length)])
      for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
        yield JSON.parse(rest.toString('utf8', 0, end)) as Value
        rest = rest.subarray(end + 1)
      }
    }
  }

  /** @returns false where it cannot be written; half a line counts for nothing, because `#fileBytes` ends before it */
  #append(line: string): boolean {
    const bytes = Buffer.from(line)
    try {
      this.#file ??= openUnnamedFile(tmpdir())
      for (let done = 0; done < bytes.length;)
        done += writeSync(this.#file, bytes, done, bytes.length - done, this.#fileBytes + done)
    } catch {
      return false // Why does not matter: the run is about tenants, and its memory is there.
    }
    this.#fileBytes += bytes.length
    return true
  }

  [Symbol.dispose](): void {
    if (this.#file !== null) closeSync(this.#file)
    this.#file = null
  }
}
