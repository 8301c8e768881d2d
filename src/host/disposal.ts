/**
 * Disposes several resources together: the last one first, and each even if another fails. Node 22 has no
 * DisposableStack and no AsyncDisposableStack. Replace these when Node 24 is the oldest supported version.
 */
export class Disposables implements Disposable {
  #opened: Disposable[] = []

  add<One extends Disposable>(one: One): One {
    this.#opened.push(one)
    return one
  }

  /** Gives all resources to the caller. This object disposes none of them afterwards. */
  move(): Disposables {
    const moved = new Disposables()
    moved.#opened = this.#opened
    this.#opened = []
    return moved
  }

  /** May be called again, also after more were added. @throws the errors of all, as `using` does */
  [Symbol.dispose](): void {
    const last = this.#opened.pop()
    if (last === undefined) return
    using _before = { [Symbol.dispose]: () => this[Symbol.dispose]() } // Runs after the last one, also if that fails.
    last[Symbol.dispose]()
  }
}

export class AsyncDisposables implements AsyncDisposable {
  #opened: (Disposable | AsyncDisposable)[] = []

  add<One extends Disposable | AsyncDisposable>(one: One): One {
    this.#opened.push(one)
    return one
  }

  /** Gives all resources to the caller. This object disposes none of them afterwards. */
  move(): AsyncDisposables {
    const moved = new AsyncDisposables()
    moved.#opened = this.#opened
    this.#opened = []
    return moved
  }

  /** May be called again, also after more were added. @throws the errors of all, as `await using` does */
  async [Symbol.asyncDispose](): Promise<void> {
    const last = this.#opened.pop()
    if (last === undefined) return
    // Runs after the last one, also if that fails.
    await using _before = { [Symbol.asyncDispose]: () => this[Symbol.asyncDispose]() }
    if (Symbol.asyncDispose in last) await last[Symbol.asyncDispose]()
    else last[Symbol.dispose]()
  }
}
