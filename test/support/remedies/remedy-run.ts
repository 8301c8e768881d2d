/** Runs the commands of the remedies as a person does, and reads the document that they print. */
import { expect } from 'vitest'
import type { RemedyResult, RemedySummary } from '../../../src/model/result/remedy.ts'
import { holdfast, reportIn, type ProgramOptions, type ProgramResult } from '../cli/program.ts'

/** The published document. It was compared with its schema when it was printed. */
export interface PrintedRemedies {
  readonly schema: 'holdfast.remedy/1'
  readonly run: { readonly mode: string }
  readonly results: readonly RemedyResult[]
  readonly summary: RemedySummary
}

export interface RemedyRunResult extends PrintedRemedies {
  readonly code: number | null
  readonly stderr: string
}

/** @throws unless the command prints exactly one document and ends with the exit code that it names */
export async function runRemedy(args: readonly string[], options: ProgramOptions = {}): Promise<RemedyRunResult> {
  const ran = await holdfast([...args, '--json'], options)
  return { ...documentIn(ran, args), code: ran.code, stderr: ran.stderr }
}

function documentIn({ stdout, stderr, code }: ProgramResult, args: readonly string[]): PrintedRemedies {
  const what = `${args.join(' ')}: exit code ${code}, ${stderr}`
  expect(stdout, what).toMatch(/^\{[^]*\}\n$/)
  const document = JSON.parse(stdout) as PrintedRemedies
  expect(document.schema, `${what} ${stdout.slice(0, 1_000)}`).toBe('holdfast.remedy/1')
  expect(document.summary.exitCode, what).toBe(code)
  return document
}

/** The only result of a run. */
export function onlyResult({ results }: PrintedRemedies): RemedyResult {
  const [result, ...others] = results
  if (!result || others.length > 0) throw new Error(`${results.length} results`)
  return result
}

/** What a result comes to, in words that tests can compare. */
export const shortRemedy = ({ plan, rehearsal, applied, failure }: RemedyResult): string =>
  [
    plan.do,
    rehearsal === null ? '' : `rehearsed ${rehearsal.verdict}`,
    applied === null ? '' : `applied ${applied.verdict}`,
    failure?.code ?? '',
  ]
    .filter(Boolean)
    .join(', ')

/** Verdicts of `holdfast check`, by path. */
export async function verdictsOf(paths: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const report = reportIn(await holdfast(['check', ...paths, '--json']))
  return new Map(report.results.map(({ path, verdict }) => [path, verdict]))
}
