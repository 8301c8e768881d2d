/**
 * Keeps what a run finds until it is printed. A spool of the kind `file` uses a private file without a name. A sweep of
 * ten thousand tenants needs no more memory than one of ten. If no such file can be written (the disk is full, there is
 * no TMPDIR), values stay in memory, so that none is lost.
 */
import { closeSync, readSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { openUnnamedFile } from '../../host/files/unnamed-file.ts'

const pieceBytes = 256 * 1024

interface SpoolOptions {
  readonly folder?: string
  readonly isNeeded?: boolean
}

/** @typeParam Value must survive JSON: a spool of the kind `file` returns what JSON keeps of it */
export class Spool<Value> implements Disposable {
  readonly #kind: 'file' | 'memory'
  readonly #folder: string
  readonly #isNeeded: boolean
  #lost = 0
  readonly #inMemory: Value[] = []
  #file: number | null = null
  #fileBytes = 0

  /**
   * Values of a `file` are read with `all`, those in `memory` with `inMemory`.
   * @param folder of the file; default: TMPDIR
   * @param isNeeded false if values are given up that the file cannot take; `lost` counts them
   */
  constructor(kind: 'file' | 'memory', { folder = tmpdir(), isNeeded = true }: SpoolOptions = {}) {
    this.#kind = kind
    this.#folder = folder
    this.#isNeeded = isNeeded
  }

  add(value: Value): void {
    const isFull = this.#inMemory.length > 0 || this.#lost > 0
    if (this.#kind === 'file' && !isFull && this.#append(`${JSON.stringify(value)}\n`)) return
    if (this.#isNeeded) this.#inMemory.push(value)
    else this.#lost++
  }

  /** How many values were given up. */
  get lost(): number {
    return this.#lost
  }

  get inMemory(): readonly Value[] {
    return this.#inMemory
  }

  /** All values in the order in which they came. */
  *all(): Generator<Value> {
    if (this.#file !== null) yield* this.#inFile(this.#file)
    yield* this.#inMemory
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

  /** @returns false if it cannot be written; half a line does not count, because `#fileBytes` ends before it */
  #append(line: string): boolean {
    const bytes = Buffer.from(line)
    try {
      this.#file ??= openUnnamedFile(this.#folder)
      for (let done = 0; done < bytes.length;)
        done += writeSync(this.#file, bytes, done, bytes.length - done, this.#fileBytes + done)
    } catch {
      return false // The reason does not matter: the run is about tenants, and memory is there.
    }
    this.#fileBytes += bytes.length
    return true
  }

  [Symbol.dispose](): void {
    if (this.#file !== null) closeSync(this.#file)
    this.#file = null
  }
}
