/** Writes the book (test/support/live/book.ts) with better-sqlite3. See orders.ts for its argument. */
import { openSync, writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { chapter, fromAccount, toAccount } from '../../live/book.ts'
import type { WriterOrders } from './orders.ts'
import { inOurTurn, nap, orders, tellError, tellReady, tellTotals } from './reporting.ts'

const { file, acknowledged, turn, manner, timeoutMs, pauseMs, transactions } = JSON.parse(
  process.argv[2] ?? '',
) as WriterOrders
const ack = openSync(acknowledged, 'r+')
const bytes = Buffer.alloc(8)
let handle: Database.Database | null = null
let committed = 0
let rolledBack = 0
let where = 'open'

tellReady()
while (!isOver()) {
  try {
    inOurTurn(turn, write)
  } catch (error) {
    tellError(where, error)
    rollBack()
  }
  await sleep(pauseMs)
}
where = 'close'
try {
  inOurTurn(turn, () => handle?.close())
} catch (error) {
  tellError(where, error)
}
tellTotals({ committed, rolledBack })
process.exit(0)

function isOver(): boolean {
  return !orders.goOn || committed === transactions
}

function write(): void {
  where = 'open'
  const database = open()
  where = 'read'
  database.prepare('select count(*) from acct').get()
  where = 'begin'
  database.exec('begin immediate')
  where = 'in transaction'
  if (Math.random() < 0.04) {
    database.exec("update big set seq = -1, body = randomblob(2000); insert into hist values (-1, '')")
    database.exec('rollback')
    rolledBack++
    return
  }
  const seq = Number(database.prepare('select max(seq) + 1 from hist').pluck().get())
  database.prepare("insert into hist values (?, 'node')").run(seq)
  database.prepare('update acct set balance = balance - ? where id = ?').run(seq, fromAccount(seq))
  database.prepare('update acct set balance = balance + ? where id = ?').run(seq, toAccount(seq))
  if (seq % chapter === 0) database.prepare('update big set seq = ?, body = randomblob(2000)').run(seq)
  where = 'commit'
  commit(database)
  bytes.writeDoubleLE(seq)
  writeSync(ack, bytes, 0, 8, 0)
  committed++
  if (manner === 'keeps') return
  where = 'close'
  database.close()
  handle = null
}

/** With a rollback journal a commit without a busy timeout may be refused beside any reader: it is tried again. */
function commit(database: Database.Database): void {
  for (let time = 0; ; time++) {
    try {
      database.exec('commit')
      return
    } catch (error) {
      if (time === 2000 || !database.inTransaction) throw error
      if (time === 0) tellError(where, error)
      nap(2)
    }
  }
}

function open(): Database.Database {
  if (handle) return handle
  const opened = new Database(file, { timeout: timeoutMs, fileMustExist: true })
  opened.pragma('synchronous = normal')
  opened.pragma('cache_size = 12')
  handle = opened
  return opened
}

function rollBack(): void {
  try {
    if (handle?.inTransaction) handle.exec('rollback')
  } catch (error) {
    tellError('rollback', error)
  }
}
