/** Runs checkpoints of the kinds that it is told, one after the other. See orders.ts for its argument. */
import { setTimeout as sleep } from 'node:timers/promises'
import Database from 'better-sqlite3'
import type { CheckpointerOrders } from './orders.ts'
import { inOurTurn, orders, tellError, tellReady, tellTotals } from './reporting.ts'

const { file, turn, kinds, pauseMs } = JSON.parse(process.argv[2] ?? '') as CheckpointerOrders
const database = new Database(file, { timeout: 0, fileMustExist: true })
let checkpoints = 0
let busy = 0
tellReady()
for (let at = 0; orders.goOn; at++) {
  const kind = kinds[at % kinds.length] ?? 'PASSIVE'
  try {
    // All kinds but PASSIVE take the lock of writers.
    const [answer] = inOurTurn(kind === 'PASSIVE' ? null : turn, () => database.pragma(`wal_checkpoint(${kind})`)) as {
      busy: number
    }[]
    busy += answer?.busy ?? 0
    checkpoints++
  } catch (error) {
    tellError(`wal_checkpoint(${kind})`, error)
  }
  await sleep(pauseMs)
}
inOurTurn(turn, () => database.close())
tellTotals({ checkpoints, busy })
process.exit(0)
