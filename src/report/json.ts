/** The report as one JSON document, its keys in the order of interfaces.md. */
import type { Report, Result } from '../model/report.ts'
import { keyRedactor } from './redact.ts'

export interface JsonOptions {
  /** Puts digests in place of row keys. */
  readonly redactKeys: boolean
}

export function renderJson({ results, ...frame }: Report, options: JsonOptions = { redactKeys: false }): string {
  return [...jsonReport(frame, results, options)].join('')
}

/** The same document piece by piece, for runs whose results do not fit into memory. */
export function* jsonReport(frame: Omit<Report, 'results'>, results: Iterable<Result>, options: JsonOptions = { redactKeys: false }): Generator<string> {
  const write = writer(frame, options)
  yield* write.begin()
  for (const result of results) yield write.result(result)
  yield* write.end()
}

function writer({ schema, tool, run, summary, ...others }: Omit<Report, 'results'>, options: JsonOptions): {
  begin(): readonly string[]
  result(result: Result): string
  end(): readonly string[]
} {
  const redact = options.redactKeys ? keyRedactor() : (result: Result): Result => result
  let written = 0
  return {
    begin: () => ['{\n', ...Object.entries({ schema, tool, run }).map(([key, value]) => member(key, value)), '  "results": ['],
    result: (result) => `${written++ === 0 ? '' : ','}\n    ${indented(inOrder(redact(result)), 4)}`,
    end: () => [written === 0 ? '],\n' : '\n  ],\n', ...Object.entries(others).map(([key, value]) => member(key, value)), `  "summary": ${indented(summary, 2)}\n}\n`],
  }
}

const member = (key: string, value: unknown): string => (value === undefined ? '' : `  ${JSON.stringify(key)}: ${indented(value, 2)},\n`)
const indented = (value: unknown, columns: number): string => JSON.stringify(value, null, 2).replaceAll('\n', `\n${' '.repeat(columns)}`)

/** A result with its keys in the order of interfaces.md. */
export function inOrder(result: Result): object {
  const findings = result.findings.map((finding) => ordered(finding, ['rule', 'severity', 'source', 'object', 'page', 'trail', 'rows', 'total', 'agreeing', 'salvage', 'text']))
  const evidence = ordered(result.evidence, ['level', 'lock', 'probe', 'lease', 'holders', 'proofs', 'quiesce', 'snapshot'])
  const remedy = ordered(result.remedy, ['do', 'indexes', 'rehearsed', 'why', 'command'])
  return ordered({ ...result, findings, evidence, remedy }, [
    'tenant', 'path', 'verdict', 'damage', 'findings', 'findingsTotal', 'remedy', 'causes', 'coverage', 'content', 'evidence', 'failure', 'reason', 'timings', 'depth', 'readBy',
  ])
}

/** The same object with `keys` first, in their order; what is not named follows as it came. */
function ordered(value: object, keys: readonly string[]): object {
  const own = Object.entries(value)
  const known = keys.flatMap((key) => own.filter(([name]) => name === key))
  return Object.fromEntries([...known, ...own.filter(([name]) => !keys.includes(name))])
}
