/** The compiled core (core/): one for a process, with one memory, which grows to what the largest plan asks for. */

export interface CoreFunctions {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number }
  begin(
    pageSize: number,
    usable: number,
    rowBytesMax: number,
    entryBytesMax: number,
    spilledBytesMin: number,
    encoding: number,
    buckets: number,
    columns: number,
    columnsEach: number,
    words: number,
    wordsEnd: number,
    payloads: number,
    payloadBytesMax: number,
  ): void
  beginPiece(at: number, firstPage: number, pageCount: number): void
  beginFingerprints(
    key0: number,
    key1: number,
    entries: number,
    contents: number,
    listedMax: number,
    lanes: number,
  ): void
  glance(
    at: number,
    pageCount: number,
    pageSize: number,
    usable: number,
    rowBytesMax: number,
    entryBytesMax: number,
    words: number,
  ): void
  countRows(
    page: number,
    tree: number,
    left: number,
    leftCell: number,
    right: number,
    rightCell: number,
    overflowPages: number,
  ): number
  countEntries(
    page: number,
    tree: number,
    left: number,
    leftCell: number,
    right: number,
    rightCell: number,
    overflowPages: number,
  ): number
}

/** TypeScript has these types only where there is a document. */
declare const WebAssembly: {
  readonly Module: new (code: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: unknown }
  readonly CompileError: new () => Error
  readonly RuntimeError: new () => Error
}

const growBytes = 65_536

export class CompiledCore {
  readonly functions: CoreFunctions
  /** Who uses the memory now; who did before must not go on. */
  user: object | null = null

  private constructor(module: object) {
    this.functions = new WebAssembly.Instance(module).exports as CoreFunctions
  }

  /**
   * @param code of src/census/fast/core/pages.ts. null where the processor lacks what it is compiled for (vectors):
   * JavaScript counts all pages then.
   */
  static from(code: Uint8Array): CompiledCore | null {
    try {
      return new CompiledCore(new WebAssembly.Module(code))
    } catch (error) {
      if (error instanceof WebAssembly.CompileError) return null
      throw error
    }
  }

  /** Gives the memory, of at least so many bytes, to a new user. Their values are whatever was there. */
  memoryFor(user: object, bytes: number): ArrayBuffer {
    const { memory } = this.functions
    const missing = bytes - memory.buffer.byteLength
    if (missing > 0) memory.grow(Math.ceil(missing / growBytes))
    this.user = user
    return memory.buffer
  }
}

/** Did the core stop by itself, as on a read outside of its memory? */
export const isTrap = (error: unknown): boolean => error instanceof WebAssembly.RuntimeError
