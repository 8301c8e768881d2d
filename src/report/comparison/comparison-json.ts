/** A comparison as one JSON document (compare.schema.json), written file by file because there may be many. */

import type { ComparisonReport, DifferingRows, FileComparison, TableComparison } from '../../model/result/comparison.ts'
import type { Result } from '../../model/result/report.ts'
import { inOrder, mapEach, jsonDocument } from '../json.ts'
import { keyDigest, keyRedactor } from '../redact.ts'

/**
 * Replaces row keys by digests, in the findings of both sides and in the differing rows. The same key has the same
 * digest everywhere.
 */
export function fileRedactor(): (file: FileComparison) => FileComparison {
  const digest = keyDigest()
  const redact = keyRedactor(digest)
  const inResult = (result: Result | null): Result | null => (result === null ? null : redact(result))
  const inRows = ({ total, keys }: DifferingRows): DifferingRows => ({ total, keys: keys.map(digest) })
  const inTable = (whole: TableComparison): TableComparison => {
    // A sentence about damage may quote a key.
    const table = { ...whole, why: whole.why?.replaceAll(/\d+/g, '#') ?? null }
    const { differing } = table
    return differing === null
      ? table
      : {
          ...table,
          differing: {
            ...differing,
            onlyInA: inRows(differing.onlyInA),
            onlyInB: inRows(differing.onlyInB),
            different: inRows(differing.different),
          },
        }
  }
  return (file) => ({
    ...file,
    results: { a: inResult(file.results.a), b: inResult(file.results.b) },
    tables: file.tables.map(inTable),
  })
}

/** The document in pieces. */
export function comparisonJson(
  { schema, tool, run, sides, outcome, ...others }: Omit<ComparisonReport, 'files'>,
  files: Iterable<FileComparison>,
): Iterable<string> {
  const { summary, ...between } = others
  return jsonDocument({ schema, tool, run, sides, outcome }, 'files', mapEach(files, fileInOrder), {
    ...between,
    summary,
  })
}

function fileInOrder({ name, paths, comparison, why, results, tables, schemaDifferences }: FileComparison): object {
  const ofSide = (result: Result | null): object | null => (result === null ? null : inOrder(result))
  return {
    name,
    paths,
    comparison,
    why,
    results: { a: ofSide(results.a), b: ofSide(results.b) },
    tables,
    schemaDifferences,
  }
}
