/** A comparison for a tired person: what the two are, table by table what they share, which rows they do not, and what the exit code means. */
import { createColors } from 'picocolors'
import type { ComparedSide, ComparisonReport, DifferingRows, TableComparison } from '../model/comparison.ts'
import { comparisonWords } from './comparison-summary.ts'
import { labelled, wrap } from './layout.ts'
import { printable } from './printable.ts'
import { describeProblem, printableKey } from './problem.ts'
import { verdictWord } from './result-words.ts'
import type { TextOptions } from './result-words.ts'
import { renderTable } from './table.ts'
import { count } from './units.ts'

/** More equal tables than this are counted instead of listed. */
const equalListedMax = 20
/** Differences of schemas that are listed. */
const differencesShownMax = 20

export function renderComparison(report: ComparisonReport, options: TextOptions): string {
  const { sides, tables } = report
  const problems = [sides.a, sides.b].flatMap(({ result }) => (result === null || result.verdict === 'sound' ? [] : [result]))
  return `${[
    ...sideLines(report, options),
    ...problems.flatMap((result) => ['', ...describeProblem(result, options)]),
    ...tableLines(tables, options),
    ...tables.flatMap((table) => differenceLines(table, options)),
    ...schemaLines(report, options),
    '',
    ...summaryLines(report, options),
  ].join('\n')}\n`
}

function sideLines({ sides }: ComparisonReport, options: TextOptions): readonly string[] {
  return ([['A', sides.a], ['B', sides.b]] as const).flatMap(([name, side]) => labelled(name, `${sideWords(side)}: ${side.result === null ? 'not read' : verdictWord(side.result)}`, { indent: 0, labelWidth: 3, width: options.width }))
}

const kindWords = { file: 'file', copy: 'private copy', tenant: 'tenant', unknown: 'unknown' } as const

function sideWords({ kind, given, result }: ComparedSide): string {
  const path = result === null || result.path === given ? '' : ` (${printable(result.path)})`
  return `${kindWords[kind]} ${printable(kind === 'tenant' ? (result?.tenant ?? given) : given)}${path}`
}

const wordOf: Readonly<Record<TableComparison['comparison'], string>> = { equal: 'equal', differs: 'DIFFERS', 'only-in-a': 'ONLY IN A', 'only-in-b': 'ONLY IN B', 'not-compared': 'not compared' }

function tableLines(tables: readonly TableComparison[], options: TextOptions): readonly string[] {
  const equal = tables.filter(({ comparison }) => comparison === 'equal')
  const folded = equal.length > equalListedMax && !options.verbose
  const listed = folded ? tables.filter(({ comparison }) => comparison !== 'equal') : tables
  const colors = createColors(options.color)
  const paint = (cell: string, column: number): string => {
    if (column !== 1) return cell
    if (cell === 'equal') return colors.green(cell)
    return cell === 'not compared' ? colors.yellow(cell) : colors.bold(cell)
  }
  const number = (value: number | null): string => (value === null ? '-' : String(value))
  const columns = [{ head: 'TABLE', align: 'left' }, { head: 'A AND B', align: 'left' }, { head: 'ROWS IN A', align: 'right' }, { head: 'ROWS IN B', align: 'right' }, { head: 'DIFFERING', align: 'right' }] as const
  const rows = listed.map((table) => [printable(table.name), wordOf[table.comparison], number(table.rows.a), number(table.rows.b), differingWord(table)])
  return [
    ...(rows.length === 0 ? [] : ['', ...renderTable(columns, rows, { width: options.width, paint })]),
    ...(folded ? [...(rows.length === 0 ? [''] : []), ...wrap(`${rows.length === 0 ? '' : 'and '}${count(equal.length, 'table')} equal`, options.width)] : []),
    ...(options.verbose ? ['', ...listed.flatMap(({ name, digest }) => wrap(`${printable(name)}: digest ${digest.a ?? '-'} in A, ${digest.b ?? '-'} in B`, options.width))] : []),
  ]
}

function differingWord({ comparison, differing }: TableComparison): string {
  if (differing !== null) return differing.exact ? String(differing.rows) : `>= ${differing.rows}`
  return comparison === 'differs' ? '?' : '-'
}

const toldBy = {
  rowid: 'told by rowid', 'primary-key': 'told by primary key',
  content: 'told by what they hold, for rowids identify nothing here: each side\u2019s own are given',
} as const

function differenceLines({ name, partOf, comparison, rowsToldBy, differing, why }: TableComparison, options: TextOptions): readonly string[] {
  if (comparison === 'equal' || (differing === null && why === null)) return []
  const of = partOf === null ? '' : ` (data of the virtual table ${printable(partOf)})`
  const rows = differing === null || rowsToldBy === null ? '' : `${differing.exact ? '' : 'at least '}${count(differing.rows, 'row')} ${differing.rows === 1 ? 'differs' : 'differ'}, ${toldBy[rowsToldBy]}`
  const colors = createColors(options.color)
  return [
    '',
    ...wrap(`${printable(name)}${of}${rows === '' ? '' : `: ${rows}`}`, options.width).map((line) => colors.bold(line)),
    ...(differing === null ? [] : [...rowLines('changed', differing.different, options), ...rowLines('only in A', differing.onlyInA, options), ...rowLines('only in B', differing.onlyInB, options)]),
    ...(why === null ? [] : labelled('note', printable(why), { indent: 2, labelWidth: 11, width: options.width })),
  ]
}

function rowLines(label: string, { total, keys }: DifferingRows, options: TextOptions): readonly string[] {
  if (total === 0) return []
  const more = total - keys.length
  return labelled(label, `${total}: ${keys.map(printableKey).join(', ')}${more > 0 ? ` and ${more} more` : ''}`, { indent: 2, labelWidth: 11, width: options.width })
}

function schemaLines({ schemaDifferences }: ComparisonReport, options: TextOptions): readonly string[] {
  if (schemaDifferences.length === 0) return []
  const shown = options.verbose ? schemaDifferences : schemaDifferences.slice(0, differencesShownMax)
  const more = schemaDifferences.length - shown.length
  const lines = [...shown.map(({ text }) => printable(text)), ...(more > 0 ? [`${more} more; --verbose shows all`] : [])]
  return ['', createColors(options.color).bold('Schema'), ...lines.flatMap((text) => wrap(text, options.width - 2).map((line) => `  ${line}`))]
}

function summaryLines({ outcome, why, summary }: ComparisonReport, options: TextOptions): readonly string[] {
  const { tables, equal, differing, onlyInA, onlyInB, notCompared, schemaDifferences } = summary
  const parts = [`${equal} equal`, `${differing} differing`, `${onlyInA} only in A`, `${onlyInB} only in B`, `${notCompared} not compared`]
  const said = { equal: 'A and B hold the same', differ: 'A and B differ', inconclusive: 'A and B were not compared wholly' }[outcome]
  const schema = schemaDifferences === 0 ? '' : `; ${count(schemaDifferences, 'difference')} besides rows`
  const ending = `Exit code ${summary.exitCode}: ${comparisonWords(summary.exitCode)}.`
  if (why !== null && tables === 0) return wrap(`Nothing was compared: ${printable(why)}. ${ending}`, options.width)
  return [
    ...(why === null ? [] : wrap(`Not compared: ${printable(why)}`, options.width)),
    ...wrap(`${said}. ${count(tables, 'table')}: ${parts.join(', ')}${schema}. ${ending}`, options.width),
  ]
}
