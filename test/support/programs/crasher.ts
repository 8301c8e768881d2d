/**
 * Leaves a live set as a crash leaves it:
 *   node crasher.ts FILE delete|wal COMMITTED UNCOMMITTED
 * Commits rows, begins a transaction that spills its pages to the disk, prints a line, and waits to be killed.
 */
import Database from 'better-sqlite3'

const [file = '', mode = '', committed = '0', uncommitted = '0'] = process.argv.slice(2)
const database = new Database(file)
database.pragma(`journal_mode = ${mode}`)
database.pragma('cache_size = 10')
database.pragma('wal_autocheckpoint = 0')
database.exec(
  'create table if not exists crashed (id integer primary key, body text); ' +
    'create index if not exists crashed_body on crashed (body)',
)
const insert = database.prepare('insert into crashed (body) values (?)')
database.transaction(() => {
  for (let at = 0; at < Number(committed); at++) insert.run(`committed ${at} ${'x'.repeat(200)}`)
})()
if (Number(uncommitted) > 0) {
  database.exec('begin immediate')
  for (let at = 0; at < Number(uncommitted); at++) insert.run(`uncommitted ${at} ${'y'.repeat(400)}`)
}
process.stdout.write(`${JSON.stringify({ ready: true })}\n`)
setInterval(() => {}, 1_000)
