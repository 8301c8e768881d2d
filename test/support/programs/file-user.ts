/**
 * Uses a database as its owner does, without waiting for locks: it counts what is refused.
 *   node file-user.ts FILE delete|wal keeps-open|opens-each-time|reads
 * Prints a line when it begins. On SIGTERM it prints how often it did its work, and how often it was refused.
 */
import { writeSync } from 'node:fs'
import Database from 'better-sqlite3'

const [file = '', mode = '', how = ''] = process.argv.slice(2)
const open = (): Database.Database => new Database(file, { timeout: 0 })
const kept = open()
kept.pragma(`journal_mode=${mode}`)
kept.exec('create table if not exists work(a)')
if (how === 'opens-each-time') kept.close()

let done = 0
let refused = 0
function work(): void {
  const database = how === 'opens-each-time' ? open() : kept
  try {
    if (how === 'reads') database.prepare('select count(*) from work').get()
    else database.exec('insert into work values(1)')
    done++
  } catch (error) {
    if (!String((error as { code?: unknown }).code).startsWith('SQLITE_BUSY')) throw error
    refused++
  } finally {
    if (database !== kept) database.close()
  }
}
work()
writeSync(1, `${JSON.stringify({ ready: true })}\n`)
setInterval(work, 1)
process.on('SIGTERM', () => {
  writeSync(1, `${JSON.stringify({ done, refused })}\n`)
  process.exit(0)
})
