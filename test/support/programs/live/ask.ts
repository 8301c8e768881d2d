/** Opens a file, asks one statement without a busy timeout, closes it, and prints the rows: `ask.ts FILE SQL`. */
import Database from 'better-sqlite3'

const [file = '', sql = ''] = process.argv.slice(2)
try {
  const database = new Database(file, { timeout: 0, fileMustExist: true })
  const statement = database.prepare(sql)
  const rows = statement.reader ? statement.raw().all() : [[statement.run().changes]]
  database.close()
  process.stdout.write(`${JSON.stringify({ rows })}\n`)
} catch (error) {
  const code = error instanceof Error && 'code' in error ? error.code : String(error)
  process.stdout.write(`${JSON.stringify({ error: code })}\n`)
}
