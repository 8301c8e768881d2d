/** Writing to a database as others do, and what a result says of silent change. */
import Database from 'better-sqlite3'
import type { Result } from '../../../src/model/result/report.ts'

export function sql(path: string, statements: string, ...pragmas: string[]): void {
  const database = new Database(path)
  for (const pragma of pragmas) database.pragma(pragma)
  database.exec(statements)
  database.close()
}

export const said = ({ findings }: Result): readonly unknown[] => findings.map(({ rule, severity }) => [rule, severity])
export const rotten = [['content-changed-silently', 'damage']]
