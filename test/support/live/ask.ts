/** Asks a database as any other program does: in a process of its own, without a busy timeout. */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../programs/live/ask.ts', import.meta.url))

/** The rows, each as an array of its columns. Waits for the answer. @throws {Error} SQLite's code, if it was refused */
export function askAnother(file: string, sql: string): readonly (readonly unknown[])[] {
  const said = execFileSync(process.execPath, [program, file, sql], { encoding: 'utf8', timeout: 240_000 })
  const { rows, error } = JSON.parse(said) as { rows?: readonly (readonly unknown[])[]; error?: string }
  if (rows === undefined) throw new Error(String(error))
  return rows
}

/** False if a checkpoint is refused, or if SQLite refuses to ask for one. */
export function canCheckpoint(file: string): boolean {
  try {
    return askAnother(file, 'pragma wal_checkpoint(PASSIVE)')[0]?.[0] === 0
  } catch {
    return false
  }
}
