/** The messages between a process and the one that has the folder of PGlite open: JSON, one message a line. */

import type { Socket } from 'node:net'
import { jsonOrNull } from '../../../text/json-text.ts'

export interface Statement {
  readonly id: number
  readonly text: string
  /** Dates are texts. */
  readonly values: readonly unknown[]
}

/** The rows of each statement as texts. Statements without rows have no part. */
export interface RawAnswer {
  readonly parts: readonly {
    readonly columns: readonly { readonly name: string; readonly type: number }[]
    readonly rows: readonly (readonly (string | null)[])[]
  }[]
  /** Rows that the last statement changed. */
  readonly changed: number
}

export type StatementAnswer =
  | ({ readonly id: number } & RawAnswer)
  | { readonly id: number; readonly refused: { readonly message: string; readonly code: string } }

/** A longer message is not read, and its connection is cut. */
const lineLengthMax = 64_000_000

/** Calls `onMessage` for each whole line. A connection whose line is too long, or no JSON, is destroyed. */
export function readLines(socket: Socket, onMessage: (message: unknown) => void): void {
  let begun: string[] = []
  let length = 0
  socket.setEncoding('utf8').on('data', (piece: string) => {
    const [first = '', ...more] = piece.split('\n')
    begun.push(first)
    length += first.length
    for (const next of more) {
      const line = begun.join('')
      begun = [next]
      length = next.length
      const message = jsonOrNull(line)
      if (message === null) {
        socket.destroy(new Error('a message that is no JSON'))
        return
      }
      onMessage(message)
    }
    if (length > lineLengthMax) socket.destroy(new Error(`a message of more than ${lineLengthMax} letters`))
  })
}

export const lineOf = (message: Statement | StatementAnswer): string => `${JSON.stringify(message)}\n`
