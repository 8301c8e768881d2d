/** Child side: confines this process, after everything from outside its sandbox was loaded. */
import Database from 'better-sqlite3'
import { ConfinementError } from '../../host/process/confine.ts'
import type { Wall } from '../../model/result/reading.ts'
import type { User } from '../confinement.ts'
import type { Confinement } from '../protocol.ts'

/** What confines this process, and limits the files that it writes. */
export interface ProcessConfiner {
  /** @returns the walls that hold @throws {ConfinementError} */
  enter(folder: string, user: User | null): readonly Wall[]
  limitFileSize(bytes: number): void
}

/** Loads SQLite's native code first: the sandbox does not have its file. */
export function confineChild(
  confining: ProcessConfiner,
  folder: string,
  user: User | null,
): { readonly sqliteVersion: string; readonly confinement: Confinement } {
  const memory = new Database(':memory:')
  const sqliteVersion = memory.prepare<[], string>('SELECT sqlite_version()').pluck().get() ?? ''
  memory.close()
  try {
    return { sqliteVersion, confinement: { kind: 'stands', walls: confining.enter(folder, user) } }
  } catch (error) {
    if (error instanceof ConfinementError)
      return { sqliteVersion, confinement: { kind: 'refused', why: error.message } }
    throw error
  }
}
