/**
 * A program that keeps a database open all day and writes to it, as a unit of systemd would run it.
 *   node unit.ts DATABASE RUNNING
 * It makes the file RUNNING when it writes, and removes it when it has closed the database, after SIGTERM. Each row
 * that was committed is counted in it.
 */
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import Database from 'better-sqlite3'

const [database = '', running = ''] = process.argv.slice(2)
const handle = new Database(database, { timeout: 5_000 })
const put = handle.prepare("INSERT INTO notes(title, body) VALUES('written', 'by a unit')")
let rows = 0
const write = (): void => {
  put.run()
  writeFileSync(`${running}.new`, String(++rows))
  renameSync(`${running}.new`, running) // A reader never finds it half written.
}
write()
const writing = setInterval(write, 10)
process.on('SIGTERM', () => {
  clearInterval(writing)
  handle.close()
  rmSync(running, { force: true })
  process.exit(0)
})
