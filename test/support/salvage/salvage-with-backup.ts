/** Salvages a file with a backup of an earlier state, and accounts for each row that it had before the wound. */
import { copyFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { expect } from 'vitest'
import type { Folder } from '../cli/folder.ts'
import { create, type Fill } from '../databases/create-database.ts'
import { EditableDatabase } from '../databases/surgeon.ts'
import {
  integrityBySqlite,
  readRows,
  rowDifferences,
  salvageInProcess,
  salvageNames,
  type ReadRows,
} from './salvage-in-process.ts'

interface SalvageWithBackup {
  readonly result: string
  readonly outcome: ReturnType<typeof salvageInProcess>
  /** The rows before the wound. */
  readonly truth: ReadRows
  readonly differences: ReturnType<typeof rowDifferences>
  /** Rows in all tables that the salvage made. */
  readonly orphaned: number
}

interface Story {
  /** Makes what the backup has. */
  readonly before: Fill
  /** What happens after the backup. */
  readonly after: string | Fill
  readonly wound: (patient: EditableDatabase) => void
  readonly pragmas?: readonly string[]
  readonly pageSize?: number
}

/** Makes a database, copies it as the backup, changes it, wounds it and salvages it. */
export function salvageWithBackup(
  folder: Folder,
  { before, after, wound, pragmas = [], pageSize = 1024 }: Story,
): SalvageWithBackup {
  const path = folder.in(salvageNames.damaged)
  create(path, pageSize, before, ['secure_delete=OFF', ...pragmas])
  copyFileSync(path, folder.in(salvageNames.schema))
  const database = new Database(path)
  database.pragma('secure_delete=OFF')
  if (typeof after === 'string') database.exec(after)
  else after(database)
  database.close()
  const truth = readRows(path)
  {
    using patient = new EditableDatabase(path)
    wound(patient)
  }
  const outcome = salvageInProcess(folder, true)
  const result = folder.in(salvageNames.result)
  expect(integrityBySqlite(result)).toBe('ok')
  const found = readRows(result)
  const made = [...found].filter(([name]) => name.startsWith('holdfast_orphaned'))
  return {
    result,
    outcome,
    truth,
    differences: rowDifferences(truth, found),
    orphaned: made.reduce((sum, [, rows]) => sum + rows.size, 0),
  }
}

/** Each row is in its table, or in one for orphaned rows, and none is anywhere else. @returns how many are orphaned */
export function expectEachRowOnce({ differences, orphaned }: SalvageWithBackup): number {
  expect(differences.invented).toEqual([])
  expect(differences.missing).toHaveLength(orphaned)
  return orphaned
}
