/** A user of the demo service: writes notes, and remembers what the service has acknowledged. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import Database from 'better-sqlite3'

/**
 * Writes notes by HTTP, one after the other.
 * @returns the ids that the service has acknowledged
 * @throws {Error} if the service refuses one
 */
export async function writeNotes(
  port: number,
  tenant: string,
  count: number,
  signal: AbortSignal,
): Promise<readonly number[]> {
  const ids: number[] = []
  for (let i = 1; i <= count; i++) {
    const response = await fetch(`http://127.0.0.1:${port}/tenants/${tenant}/notes`, {
      method: 'POST',
      body: `note ${i} that came after the backup`,
      signal,
    })
    if (response.status !== 201) throw new Error(`the service answered ${response.status} to a note`)
    ids.push(((await response.json()) as { id: number }).id)
  }
  return ids
}

/** A digest of each note by its id, read by SQLite alone. No program may write the file. */
export function readNotes(dir: string, tenant: string): ReadonlyMap<number, string> {
  const database = new Database(join(dir, `${tenant}.db`), { fileMustExist: true })
  try {
    const rows = database.prepare('select id, title, body, at from notes').iterate() as Iterable<{ id: number }>
    return new Map(Array.from(rows, (row) => [row.id, createHash('sha256').update(JSON.stringify(row)).digest('hex')]))
  } finally {
    database.close()
  }
}

/** @returns what SQLite itself says about the file: `ok`, or its first complaint */
export function askSqlite(dir: string, tenant: string): string {
  const database = new Database(join(dir, `${tenant}.db`), { fileMustExist: true })
  try {
    return String(database.pragma('integrity_check(1)', { simple: true }))
  } finally {
    database.close()
  }
}
