/** What `holdfast compare --json` prints, against its published schema. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import addFormats from 'ajv-formats'
import { Ajv2020 } from 'ajv/dist/2020.js'
import Database from 'better-sqlite3'
import { expect } from 'vitest'
import type { ComparisonReport, FileComparison, TableComparison } from '../../../src/model/result/comparison.ts'
import { makeDatabase, type Folder } from './folder.ts'
import { holdfast, type ProgramResult, type ProgramOptions } from './program.ts'

const tree = process.env['HOLDFAST_TREE'] ?? fileURLToPath(new URL('../../..', import.meta.url))
const schema = (name: string): object =>
  JSON.parse(readFileSync(join(tree, `dist/${name}.schema.json`), 'utf8')) as object
const ajv = new Ajv2020({ strict: true, allErrors: true, strictRequired: false, strictTypes: false })
addFormats.default(ajv)
ajv.addSchema(schema('report'))
export const validateComparison = ajv.compile(schema('compare'))

/** The one document on stdout: it fits the published schema, and its exit code is that of the process. */
export function comparisonIn({ stdout, stderr, code }: ProgramResult): ComparisonReport {
  expect(stdout, stderr).toMatch(/^\{[^]*\}\n$/)
  const report = JSON.parse(stdout) as ComparisonReport
  expect(validateComparison(report) ? [] : validateComparison.errors).toEqual([])
  expect(report.summary.exitCode).toBe(code)
  const { files, tables } = report.summary
  for (const { total, ...words } of [files, tables])
    expect(Object.values(words).reduce((sum, count) => sum + count, 0)).toBe(total)
  expect([files.total, tables.total]).toEqual([report.files.length, report.files.flatMap((file) => file.tables).length])
  return report
}

export async function comparisonOf(args: readonly string[], options: ProgramOptions = {}): Promise<ComparisonReport> {
  return comparisonIn(await holdfast(['compare', ...args, '--json'], options))
}

/** The only file of a comparison. */
export function onlyFileIn({ files }: ComparisonReport): FileComparison {
  const [file, ...others] = files
  if (!file || others.length > 0) throw new Error(`${files.length} files`)
  return file
}

export const tableIn = (report: ComparisonReport, name: string): TableComparison =>
  onlyFileIn(report).tables.find((table) => table.name === name) as TableComparison

/** Outcome, verdicts of both sides and exit code of a comparison of one file, in one line that tests can compare. */
export const shortComparison = (report: ComparisonReport): string =>
  `${report.outcome} ${verdictsOf(onlyFileIn(report))} ${report.summary.exitCode}`

/** The same of several: first that of all, then the word and the verdicts of each. */
export const shortComparisons = ({ outcome, files, summary }: ComparisonReport): readonly string[] => [
  `${outcome} ${summary.exitCode}`,
  ...files.map((file) => `${file.name} ${file.comparison} ${verdictsOf(file)}`),
]

const verdictsOf = ({ results }: FileComparison): string =>
  [results.a, results.b]
    .map((result) => `${result?.verdict ?? 'none'}${result?.failure ? ` ${result.failure.code}` : ''}`)
    .join(' / ')

export function changeIn(path: string, sql: string): void {
  const database = new Database(path)
  database.exec(sql)
  database.close()
}

/** `a.db`, and `b.db` with the same rows in another layout. */
export function makePair(folder: Folder, rows = 400): readonly [string, string] {
  const a = makeDatabase(folder.in('a.db'), { rows })
  changeIn(a, `PRAGMA page_size=1024; VACUUM INTO '${folder.in('b.db')}'`)
  return [a, folder.in('b.db')]
}
