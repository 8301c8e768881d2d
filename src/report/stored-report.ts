/**
 * A report as lines of JSON: the fields before its results, one line for each result, the fields after them. Together
 * the lines are one document. A reader takes one result after the other, so memory does not grow with their number.
 */
import { Failure } from '../model/failure.ts'
import type { HealReport } from '../model/result/heal-report.ts'
import type { Report, Result } from '../model/result/report.ts'

/** All of a report but its results, and what `--heal` has done. */
export type ReportFrame = Omit<Report, 'results'> & { readonly healing?: HealReport }

/** Of checks, or of remedies. */
export interface StoredReport<Item = Result, Frame = ReportFrame> {
  readonly frame: Frame
  /** Reads the results anew. @throws {Failure} REPORT_BROKEN */
  readonly results: () => Iterable<Item>
}

/** @param items the results, in any form that JSON keeps */
export function* storedLines(
  { schema, tool, run, summary, ...others }: { readonly [key: string]: unknown },
  items: Iterable<object>,
): Generator<string> {
  yield `${JSON.stringify({ schema, tool, run }).slice(0, -1)},"results":[`
  let written = 0
  for (const item of items) yield `${written++ === 0 ? '' : ','}${JSON.stringify(item)}`
  yield `],${JSON.stringify({ ...others, summary }).slice(1)}`
}

/**
 * @param lines reads the lines anew
 * @throws {Failure} REPORT_BROKEN
 */
export function storedReport<Item, Frame>(lines: () => Iterable<string>): StoredReport<Item, Frame> {
  let first: string | null = null
  let last = ''
  for (const line of lines()) {
    first ??= line
    if (line.startsWith(']')) last = line
  }
  const { results: _none, ...frame } = parseJson(`${first ?? ''}${last}`) as { readonly results: unknown }
  return {
    frame: frame as Frame,
    results: function* () {
      let isFirst = true
      for (const line of lines()) {
        if (line.startsWith(']')) return
        if (!isFirst) yield parseJson(line.replace(/^,/, '')) as Item
        isFirst = false
      }
    },
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) throw new Failure('REPORT_BROKEN', 'a line of a kept report is no JSON')
    throw error
  }
}
