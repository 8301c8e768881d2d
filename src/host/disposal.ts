/**
 * What was opened, given up together: the last first, each even if another one fails. They stand in for DisposableStack
 * and AsyncDisposableStack, which Node 22 does not have; replace them when Node 24 is the oldest that we run on.
 */
export class Disposables implements Disposable {
  #opened: Disposable[] = []

  add<One extends Disposable>(one: One): One {
    this.#opened.push(one)
    return one
  }

  /** Hands on all that was opened: from here on nothing is given up with this one. */
  move(): Disposables {
    const moved = new Disposables()
    moved.#opened = this.#opened
    this.#opened = []
    return moved
  }

  /** Repeatable; more may be added afterwards. @throws the errors of all, as `using` does */
  [Symbol.dispose](): void {
    const last = this.#opened.pop()
    if (last === undefined) return
    using _before = { [Symbol.dispose]: () => this[Symbol.dispose]() } // After the last one, whatever comes of that.
    last[Symbol.dispose]()
  }
}

export class AsyncDisposables implements AsyncDisposable {
  #opened: (Disposable | AsyncDisposable)[] = []

  add<One extends Disposable | AsyncDisposable>(one: One): One {
    this.#opened.push(one)
    return one
  }

  /** Hands on all that was opened: from here on nothing is given up with this one. */
  move(): AsyncDisposables {
    const moved = new AsyncDisposables()
    moved.#opened = this.#opened
    this.#opened = []
    return moved
  }

  /** Repeatable; more may be added afterwards. @throws the errors of all, as `await using` does */
  async [Symbol.asyncDispose](): Promise<void> {
    const last = this.#opened.pop()
    if (last === undefined) return
    // After the last one, whatever comes of that.
    await using _before = { [Symbol.asyncDispose]: () => this[Symbol.asyncDispose]() }
    if (Symbol.asyncDispose in last) await last[Symbol.asyncDispose]()
    else last[Symbol.dispose]()
  }
}
