/** Reads the book in transactions of different lengths, each of which must see one state. See orders.ts. */
import { setTimeout as sleep } from 'node:timers/promises'
import Database from 'better-sqlite3'
import type { ReaderOrders } from './orders.ts'
import { orders, tellError, tellReady, tellTotals } from './reporting.ts'

const { file, openMs } = JSON.parse(process.argv[2] ?? '') as ReaderOrders
const database = new Database(file, { timeout: 0, fileMustExist: true })
const seen = database.prepare('select max(seq) - count(*) as gap, max(seq) as seq from hist')
let reads = 0
tellReady()
while (orders.goOn) {
  try {
    database.exec('begin')
    const first = seen.get() as { gap: number; seq: number }
    await sleep(Math.random() * openMs)
    const last = seen.get() as { gap: number; seq: number }
    database.exec('commit')
    if (first.gap !== 0 || last.gap !== 0 || first.seq !== last.seq)
      tellError('read', `two states in one transaction: ${JSON.stringify([first, last])}`)
    reads++
  } catch (error) {
    tellError('read', error)
    if (database.inTransaction) database.exec('rollback')
  }
  await sleep(1)
}
database.close()
tellTotals({ reads })
process.exit(0)
