/**
 * How the programs of this folder report: a line of JSON for each error immediately, because they may be killed, and
 * one with the totals when they end. `where` says which statement failed.
 */
import { closeSync, openSync, writeSync } from 'node:fs'
import { tryLock } from '../../../../src/host/locks/byte-lock.ts'

const write = (line: object): void => void writeSync(1, `${JSON.stringify(line)}\n`)

export const tellReady = (): void => write({ ready: true, pid: process.pid })
export const tellTotals = (totals: Readonly<Record<string, unknown>>): void => write({ totals })

export function tellError(where: string, error: unknown): void {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
  write({ error: `${where} ${code}` })
}

export const nap = (ms: number): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)

/** True until SIGTERM. */
export const orders = { goOn: true }
process.on('SIGTERM', () => {
  orders.goOn = false
})
// A parent that died cannot send it.
process.stdin.on('end', () => process.exit(1)).resume()

/** Does the work when it is our turn. Null: immediately. */
export function inOurTurn<Done>(turn: string | null, work: () => Done): Done {
  if (turn === null) return work()
  const descriptor = openSync(turn, 'r+')
  try {
    while (tryLock(descriptor, 'write', { start: 0, length: 1 }) === 'refused') nap(0.3)
    return work()
  } finally {
    closeSync(descriptor)
  }
}
