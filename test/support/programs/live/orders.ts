/** What a program of this folder is told, in its only argument, as JSON. The Python programs read the same. */

export interface WriterOrders {
  readonly file: string
  /** It writes the number of each transaction that was committed into this file: 8 bytes, little-endian, a float. */
  readonly acknowledged: string
  /**
   * Writers that share this file take turns by a lock on it. So no writer without a busy timeout meets another one, and
   * every error comes from somewhere else. Null: no turns.
   */
  readonly turn: string | null
  /** `keeps` its handle, or `reopens` the file for each transaction. */
  readonly manner: 'keeps' | 'reopens'
  /** How long SQLite waits for a lock. */
  readonly timeoutMs: number
  /** Between two transactions. */
  readonly pauseMs: number
  /** Ends by itself after so many transactions; null: goes on until SIGTERM. */
  readonly transactions: number | null
}

export interface CheckpointerOrders {
  readonly file: string
  readonly turn: string | null
  readonly kinds: readonly ('PASSIVE' | 'FULL' | 'RESTART' | 'TRUNCATE')[]
  readonly pauseMs: number
}

export interface ReaderOrders {
  readonly file: string
  /** The longest time that one read transaction stays open. */
  readonly openMs: number
}

export interface PinnerOrders {
  readonly file: string
  /** For snapshots. */
  readonly folder: string
  readonly maxPinMs: number
}
