/** The report as one JSON document. The order of its keys is fixed. */

import type { Report, Result } from '../model/result/report.ts'
import { jsonText } from '../text/json-text.ts'
import { keyRedactor } from './redact.ts'

export interface JsonOptions {
  /** Replaces row keys by digests. */
  readonly redactKeys: boolean
}

export function renderJson({ results, ...frame }: Report, options: JsonOptions = { redactKeys: false }): string {
  return [...jsonReport(frame, results, options)].join('')
}

/** The same document in pieces, for runs whose results do not fit into memory. */
export function* jsonReport(
  { schema, tool, run, summary, ...others }: Omit<Report, 'results'>,
  results: Iterable<Result>,
  options: JsonOptions = { redactKeys: false },
): Generator<string> {
  const redact = options.redactKeys ? keyRedactor() : (result: Result): Result => result
  yield* jsonDocument(
    { schema, tool, run },
    'results',
    mapEach(results, (result) => inOrder(redact(result))),
    { ...others, summary },
  )
}

/** Each piece is written by a call of its own, which would take longer than to make a short one. */
const pieceLetters = 64 * 1024

/** A document with one list that may be long: the fields before it, the list, and the fields after it. */
export function* jsonDocument(before: object, name: string, items: Iterable<object>, after: object): Generator<string> {
  yield '{\n'
  for (const [key, value] of Object.entries(before))
    if (value !== undefined) yield `  ${jsonText(key)}: ${indentJson(value, 2)},\n`
  let [piece, written] = [`  ${jsonText(name)}: [`, 0]
  for (const item of items) {
    piece += `${written++ === 0 ? '' : ','}\n    ${indentJson(item, 4)}`
    if (piece.length < pieceLetters) continue
    yield piece
    piece = ''
  }
  yield piece + (written === 0 ? ']' : '\n  ]')
  for (const [key, value] of Object.entries(after))
    if (value !== undefined) yield `,\n  ${jsonText(key)}: ${indentJson(value, 2)}`
  yield '\n}\n'
}

/** Changes each item when it is read. */
export function* mapEach<From, To>(items: Iterable<From>, change: (item: From) => To): Generator<To> {
  for (const item of items) yield change(item)
}

const indentJson = (value: unknown, columns: number): string =>
  jsonText(value).replaceAll('\n', `\n${' '.repeat(columns)}`)

/** A result with its keys in the fixed order. */
export function inOrder(result: Result): object {
  const findings = result.findings.map((finding) =>
    orderKeys(finding, [
      'rule',
      'severity',
      'source',
      'object',
      'page',
      'trail',
      'rows',
      'total',
      'query',
      'other',
      'agreeing',
      'salvage',
      'invariant',
      'lines',
      'text',
    ]),
  )
  const evidence = orderKeys(result.evidence, [
    'level',
    'lock',
    'probe',
    'lease',
    'holders',
    'proofs',
    'quiesce',
    'snapshot',
  ])
  const remedy = orderKeys(result.remedy, ['do', 'indexes', 'fts', 'rewrite', 'rehearsed', 'why', 'command'])
  return orderKeys({ ...result, findings, evidence, remedy }, [
    'tenant',
    'path',
    'verdict',
    'damage',
    'findings',
    'findingsTotal',
    'remedy',
    'causes',
    'coverage',
    'content',
    'evidence',
    'recovery',
    'failure',
    'reason',
    'timings',
    'depth',
    'sample',
    'secondReading',
    'secondSnapshot',
    'readBy',
    'writtenBy',
  ])
}

/** The same object with `keys` first, in their order; other keys follow in theirs. */
function orderKeys(value: object, keys: readonly string[]): object {
  const own = Object.entries(value)
  const known = keys.flatMap((key) => own.filter(([name]) => name === key))
  return Object.fromEntries([...known, ...own.filter(([name]) => !keys.includes(name))])
}
