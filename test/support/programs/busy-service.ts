/**
 * A service under heavy writes, with one tenant in WAL mode and the gate as any service embeds it:
 *   node busy-service.ts DIR SOCKET MANNER
 * Transactions of all sizes: many spill their pages into the WAL before they commit and rewrite them there, a fifth is
 * rolled back, checkpoints are tried every few pages. MANNER: `keeps` its handle between requests, or `reopens` it for
 * each. When it is quiesced, and before it closes its last handle, it writes the digest of all its rows to
 * DIR/quiesced.json: that, and nothing else, is what a snapshot must hold.
 */
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { createGate } from '../../../src/service/gate/index.ts'
import { digestOfRows } from '../databases/rows.ts'

const [dir = '', socket = '', manner = 'keeps'] = process.argv.slice(2)
const file = join(dir, 'heavy.db')
const rows = 400

const made = new Database(file)
made.pragma('page_size = 1024')
made.pragma('journal_mode = wal')
made.exec(
  'create table accounts (id integer primary key, balance integer not null); create table pages (id ' +
    'integer primary key, body blob, tag text); create index pages_tag on pages (tag)',
)
made.transaction(() => {
  for (let id = 1; id <= rows; id++) {
    made.prepare('insert into accounts values (?, 1000)').run(id)
    made.prepare('insert into pages values (?, randomblob(1500), ?)').run(id, `tag ${id}`)
  }
})()

let handle: Database.Database | null = made
let transactions = 0
let slowest = 0

function open(): Database.Database {
  if (handle) return handle
  const opened = new Database(file, { timeout: 0 })
  opened.pragma('cache_size = 12')
  opened.pragma('synchronous = off')
  opened.pragma('wal_autocheckpoint = 40')
  return opened
}

/** One transaction; every statement of it is real work on pages all over the file. */
function work(): void {
  const startedAt = performance.now()
  const database = open()
  handle = database
  const pick = (): number => 1 + Math.floor(Math.random() * rows)
  const size = Math.random() < 0.1 ? 150 : 1 + Math.floor(Math.random() * 12)
  try {
    database.exec('begin immediate')
    for (let at = 0; at < size; at++) {
      const amount = pick()
      database.prepare('update accounts set balance = balance - ? where id = ?').run(amount, pick())
      database.prepare('update accounts set balance = balance + ? where id = ?').run(amount, pick())
      database
        .prepare('update pages set body = randomblob(1500), tag = ? where id = ?')
        .run(`tag ${Math.random()}`, pick())
    }
    database.exec(Math.random() < 0.2 ? 'rollback' : 'commit')
    transactions++
  } catch (error) {
    if (database.inTransaction) database.exec('rollback')
    throw error
  } finally {
    if (manner === 'reopens') {
      database.close()
      handle = null
    }
  }
  slowest = Math.max(slowest, performance.now() - startedAt)
}

const gate = createGate({
  service: 'heavy',
  version: '1',
  sqliteVersion: '3.54.1',
  tenants: () => [{ id: 'heavy', files: [{ path: file, journalMode: 'wal' }] }],
  close: () => {
    const database = open()
    const digest = digestOfRows(database)
    const { sum } = database.prepare('select sum(balance) as sum from accounts').get() as { sum: number }
    database.close()
    handle = null
    writeFileSync(join(dir, 'quiesced.tmp'), JSON.stringify({ digest, sum, transactions }))
    renameSync(join(dir, 'quiesced.tmp'), join(dir, 'quiesced.json'))
  },
  open: () => {
    if (manner === 'keeps') handle = open()
  },
})
const server = await gate.listen(socket)

let failures = 0
const ending = new AbortController()
const loop = async (): Promise<void> => {
  while (!ending.signal.aborted) {
    await gate.run('heavy', work).catch((error: unknown) => {
      if (!gate.tenantPaused(error)) failures++
      writeFileSync(join(dir, 'failures.log'), `${String(error)}\n`, { flag: 'a' })
    })
    await new Promise((resolve) => setImmediate(resolve))
  }
}
const looping = loop()
process.once('SIGTERM', () => {
  ending.abort()
  void looping
    .then(() => gate[Symbol.asyncDispose]())
    .then(() => {
      server.close()
      process.stdout.write(`${JSON.stringify({ transactions, failures, slowest })}\n`)
      process.exit(0)
    })
})
process.stdout.write(`${JSON.stringify({ ready: true, pid: process.pid })}\n`)
