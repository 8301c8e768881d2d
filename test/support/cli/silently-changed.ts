/** Databases that are written to or silently changed between two checks, and what their results say. */
import { basename } from 'node:path'
import Database from 'better-sqlite3'
import type { Result } from '../../../src/model/result/report.ts'
import { makeDatabase, makeFolder, type Folder } from './folder.ts'
import { reportOf, single } from './program.ts'

export function sql(path: string, statements: string, ...pragmas: string[]): void {
  const database = new Database(path)
  for (const pragma of pragmas) database.pragma(pragma)
  database.exec(statements)
  database.close()
}

export const said = ({ findings }: Result): readonly unknown[] => findings.map(({ rule, severity }) => [rule, severity])
export const rotten = [['content-changed-silently', 'damage']]

/** A database that `check` has a ledger for. */
export interface RememberedFile extends Disposable {
  readonly folder: Folder
  readonly path: string
  readonly check: (...more: string[]) => Promise<Result>
}

export function rememberedFile(options: Parameters<typeof makeDatabase>[1] = {}): RememberedFile {
  const folder = makeFolder()
  const path = makeDatabase(folder.in('app.db'), { rows: 500, ...options })
  return {
    folder,
    path,
    check: async (...more) => single(await reportOf(['check', path, '--ledger', folder.in('ledger'), ...more])),
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  }
}

export const noticed = [['content-changed-silently', 'notice']]

/** Checks the folder `files` in one run. @returns verdict and findings of each file, by name */
export async function checkAll(folder: Folder): Promise<Record<string, readonly unknown[]>> {
  const { results } = await reportOf(['check', folder.in('files'), '--ledger', folder.in('ledger')])
  return Object.fromEntries(results.map((result) => [basename(result.path, '.db'), [result.verdict, ...said(result)]]))
}

/** The same findings for each name, to compare with those of `checkAll`. */
export const sameForAll = (
  names: readonly string[],
  expected: readonly unknown[],
): Record<string, readonly unknown[]> => Object.fromEntries(names.map((name) => [name, expected]))
