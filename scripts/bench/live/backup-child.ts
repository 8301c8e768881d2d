/** Copies a live file with SQLite's backup(), in a process of its own: `backup-child.ts FILE TO PAGES`. */
import Database from 'better-sqlite3'

const [file = '', to = '', pages = ''] = process.argv.slice(2)
const database = new Database(file, { timeout: 600_000, fileMustExist: true })
await database.backup(to, { progress: () => Number(pages) })
database.close()
