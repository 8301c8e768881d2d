/**
 * Opens a database, adds a row, closes it, prints its id, and does so again and again: a program that has the file
 * closed most of the time. Arguments: file, ms between two rows.
 */
import { writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import Database from 'better-sqlite3'

const [file = '', pauseMs = '50'] = process.argv.slice(2)
for (let id = 100_000; ; id++) {
  try {
    const db = new Database(file, { timeout: 20_000, fileMustExist: true })
    db.prepare('insert into t(id, v) values(?, ?)').run(id, 'acknowledged')
    db.close()
    writeSync(1, `${id}\n`)
  } catch (error) {
    writeSync(2, `${id}: ${String(error)}\n`)
  }
  await sleep(Number(pauseMs) * (0.5 + Math.random()))
}
