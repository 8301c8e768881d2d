/**
 * The compiled core (core/), as WebAssembly. A process has one, with one memory. The memory grows to what the largest
 * plan needs.
 */

export interface CoreFunctions {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number }
  beginPlan(
    pageSize: number,
    usable: number,
    rowBytesMax: number,
    entryBytesMax: number,
    leastLocalBytes: number,
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
  prescan(
    at: number,
    pageCount: number,
    pageSize: number,
    usable: number,
    rowBytesMax: number,
    entryBytesMax: number,
    words: number,
  ): void
  countRowPage(
    page: number,
    tree: number,
    left: number,
    leftCell: number,
    right: number,
    rightCell: number,
    overflowPages: number,
  ): number
  countEntryPage(
    page: number,
    tree: number,
    left: number,
    leftCell: number,
    right: number,
    rightCell: number,
    overflowPages: number,
  ): number
}

/** TypeScript declares these in the DOM library only. */
declare const WebAssembly: {
  readonly Module: new (code: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: unknown }
  readonly CompileError: new () => Error
  readonly RuntimeError: new () => Error
}

const growBytes = 65_536

export class CompiledCore {
  readonly functions: CoreFunctions
  /** The object that uses the memory now. An object that used it before must not go on. */
  user: object | null = null

  private constructor(module: object) {
    this.functions = new WebAssembly.Instance(module).exports as CoreFunctions
  }

  /**
   * @param code compiled from src/census/fast/core/pages.ts
   * @returns null if the processor has no vectors; JavaScript then counts all pages
   */
  static from(code: Uint8Array): CompiledCore | null {
    try {
      return new CompiledCore(new WebAssembly.Module(code))
    } catch (error) {
      if (error instanceof WebAssembly.CompileError) return null
      throw error
    }
  }

  /** Gives the memory to a new user, with at least `bytes` bytes. They hold whatever the user before left there. */
  memoryFor(user: object, bytes: number): ArrayBuffer {
    const { memory } = this.functions
    const missing = bytes - memory.buffer.byteLength
    if (missing > 0) memory.grow(Math.ceil(missing / growBytes))
    this.user = user
    return memory.buffer
  }
}

/** True if WebAssembly itself stopped the core, for example at a read outside of its memory. */
export const isTrap = (error: unknown): boolean => error instanceof WebAssembly.RuntimeError
