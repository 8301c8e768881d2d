/** A comparison as one JSON document (compare.schema.json). */
import type { ComparedSide, ComparisonReport, DifferingRows, TableComparison } from '../model/comparison.ts'
import { inOrder } from './json.ts'
import { keyDigest, keyRedactor } from './redact.ts'

/** The same report with digests in the place of row keys: of the findings of both sides, and of the rows that differ. */
export function redactComparison(report: ComparisonReport): ComparisonReport {
  const digest = keyDigest()
  const redact = keyRedactor(digest)
  const inSide = (side: ComparedSide): ComparedSide => ({ ...side, result: side.result === null ? null : redact(side.result) })
  const inRows = ({ total, keys }: DifferingRows): DifferingRows => ({ total, keys: keys.map(digest) })
  const inTable = (whole: TableComparison): TableComparison => {
    // A sentence about damage may quote a key.
    const table = { ...whole, why: whole.why?.replaceAll(/\d+/g, '#') ?? null }
    const { differing } = table
    return differing === null ? table : { ...table, differing: { ...differing, onlyInA: inRows(differing.onlyInA), onlyInB: inRows(differing.onlyInB), different: inRows(differing.different) } }
  }
  return { ...report, sides: { a: inSide(report.sides.a), b: inSide(report.sides.b) }, tables: report.tables.map(inTable) }
}

export function renderComparisonJson({ sides, ...rest }: ComparisonReport): string {
  const inSide = (side: ComparedSide): object => ({ ...side, result: side.result === null ? null : inOrder(side.result) })
  const { schema, tool, run, ...others } = rest
  return `${JSON.stringify({ schema, tool, run, sides: { a: inSide(sides.a), b: inSide(sides.b) }, ...others }, null, 2)}\n`
}
