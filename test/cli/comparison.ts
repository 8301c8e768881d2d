/** What `holdfast compare --json` prints, against its published schema. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { expect } from 'vitest'
import type { ComparisonReport, TableComparison } from '../../src/model/comparison.ts'
import { holdfast, type Ran, type RunOptions } from './program.ts'

const tree = process.env['HOLDFAST_TREE'] ?? fileURLToPath(new URL('../..', import.meta.url))
const schema = (name: string): object => JSON.parse(readFileSync(join(tree, `dist/${name}.schema.json`), 'utf8')) as object
const ajv = new Ajv2020({ strict: true, allErrors: true, strictRequired: false, strictTypes: false })
addFormats.default(ajv)
ajv.addSchema(schema('report'))
export const validateComparison = ajv.compile(schema('compare'))

/** The one document on stdout: it fits the published schema, and its exit code is that of the process. */
export function comparisonIn({ stdout, stderr, code }: Ran): ComparisonReport {
  expect(stdout, stderr).toMatch(/^\{[^]*\}\n$/)
  const report = JSON.parse(stdout) as ComparisonReport
  expect(validateComparison(report) ? [] : validateComparison.errors).toEqual([])
  expect(report.summary.exitCode).toBe(code)
  const { tables, equal, differing, onlyInA, onlyInB, notCompared } = report.summary
  expect([tables, equal + differing + onlyInA + onlyInB + notCompared]).toEqual([report.tables.length, report.tables.length])
  return report
}

export async function comparisonOf(args: readonly string[], options: RunOptions = {}): Promise<ComparisonReport> {
  return comparisonIn(await holdfast(['compare', ...args, '--json'], options))
}

export const tableIn = ({ tables }: ComparisonReport, name: string): TableComparison => tables.find((table) => table.name === name) as TableComparison

/** Outcome, verdicts of both sides and exit code, in one line that tests can compare. */
export const gistOf = ({ outcome, sides, summary }: ComparisonReport): string =>
  `${outcome} ${[sides.a, sides.b].map(({ result }) => `${result?.verdict ?? 'none'}${result?.failure ? ` ${result.failure.code}` : ''}`).join(' / ')} ${summary.exitCode}`
