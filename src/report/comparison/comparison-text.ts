/**
 * A comparison as text: the two sides, the files and tables that they share, the rows that differ, and the exit code.
 * If each side has only one file, the text has no heading for it.
 */

import { createColors } from 'picocolors'
import { backupPrefix } from '../../model/result/backup.ts'
import { tenantPrefix } from '../../model/result/comparison.ts'
import type {
  SideOfComparison,
  ComparisonCounts,
  ComparisonReport,
  ComparisonSummary,
  ComparisonWord,
  DifferingRows,
  FileComparison,
  SidePair,
  TableComparison,
} from '../../model/result/comparison.ts'
import type { Result } from '../../model/result/report.ts'
import { count, groupDigits, listFirst } from '../../text/count.ts'
import { wrapIndented, wrapLabelled, wrap } from '../../text/layout.ts'
import { renderTable } from '../../text/table.ts'
import { describePinned } from '../describe-pinned.ts'
import { registryLines } from '../registry-line.ts'
import { legibleName, legibleSentence } from '../text/legible.ts'
import { describeUnsound, printableKey } from '../text/problem.ts'
import { verdictWord } from '../text/result-words.ts'
import type { TextOptions } from '../text/result-words.ts'
import { equalListedMax, foldEqualTables, paintComparison } from './compared-tables.ts'
import { ComparisonTally, comparisonWords } from './comparison-summary.ts'

/** At most this many differences of the schemas are listed. */
const differencesShownMax = 20

type Frame = Omit<ComparisonReport, 'files'>

/** The text in pieces, each of whole lines. */
export function* comparisonText(
  report: Frame,
  files: Iterable<FileComparison>,
  options: TextOptions,
): Generator<string> {
  const list = registryLines(report.run.registry, options)
  if (list.length > 0) yield textOfLines(list)
  if (report.summary.files.total === 1) for (const file of files) yield textOfLines(onlyFile(file, report, options))
  else yield* severalFiles(report, files, options)
}

const textOfLines = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('')

function onlyFile(file: FileComparison, { sides, summary }: Frame, options: TextOptions): readonly string[] {
  const nameOf = (side: 'a' | 'b'): string => sideName(sides[side], file.results[side])
  return [
    ...fileLines(file, { a: nameOf('a'), b: nameOf('b') }, options),
    '',
    ...fileSummary(file, ` ${endingOf(summary)}`, options),
  ]
}

const kindWords = {
  file: 'file',
  copy: 'private copy',
  backup: 'backup',
  tenant: 'tenant',
  unknown: 'unknown',
} as const

function sideName({ kind, given }: SideOfComparison, result: Result | null): string {
  const path = result === null || result.path === given ? '' : ` (${legibleName(result.path)})`
  const name = kind === 'tenant' ? (result?.tenant ?? nameGiven(given)) : shown(kind, given)
  return `${kindWords[kind]} ${legibleName(name)}${path}`
}

/** Without the prefix that says what it is. */
const nameGiven = (given: string): string => {
  const prefix = [tenantPrefix, backupPrefix].find((one) => given.startsWith(one)) ?? ''
  return given.slice(prefix.length)
}

const shown = (kind: SideOfComparison['kind'], given: string): string =>
  kind === 'tenant' || kind === 'backup' ? nameGiven(given) : given

function* severalFiles(
  { sides, outcome, summary }: Frame,
  files: Iterable<FileComparison>,
  options: TextOptions,
): Generator<string> {
  const folded = summary.files.equal > equalListedMax && !options.verbose
  let counted = 0
  yield textOfLines([...sideLine('A', folderName(sides.a), options), ...sideLine('B', folderName(sides.b), options)])
  for (const file of files) {
    if (folded && isWell(file)) counted++
    else yield textOfLines(['', ...headedFile(file, options)])
  }
  yield textOfLines([
    ...(counted === 0 ? [] : ['', ...wrap(`and ${count(counted, 'file')} equal`, options.width)]),
    '',
    ...wrap(
      `${outcomeWords[outcome]}. ${countsOf(summary.files, 'file')}. ${tablesOf(summary)}. ${endingOf(summary)}`,
      options.width,
    ),
  ])
}

const folderWords = { ...kindWords, file: 'folder', copy: 'folder of private copies' } as const
const folderName = ({ kind, given }: SideOfComparison): string =>
  `${folderWords[kind]} ${legibleName(shown(kind, given))}`

/** True if the file needs no lines of its own. */
const isWell = ({ comparison, results }: FileComparison): boolean =>
  comparison === 'equal' && [results.a, results.b].every((result) => result?.verdict === 'sound')

function headedFile(file: FileComparison, options: TextOptions): readonly string[] {
  const heading = wrap(`File ${legibleName(file.name)}: ${wordOf[file.comparison]}`, options.width).map((line) =>
    createColors(options.color).bold(line),
  )
  const nameOf = (path: string | null): string | null => (path === null ? null : legibleName(path))
  const lines = fileLines(file, { a: nameOf(file.paths.a), b: nameOf(file.paths.b) }, options)
  return [
    ...heading,
    ...lines,
    ...(file.comparison === 'only-in-a' || file.comparison === 'only-in-b'
      ? []
      : ['', ...fileSummary(file, '', options)]),
  ]
}

/** @param names of the file on both sides, legible; null on a side without the file */
function fileLines(file: FileComparison, names: SidePair<string | null>, options: TextOptions): readonly string[] {
  const { results, tables } = file
  const problems = [results.a, results.b].flatMap((result) =>
    result === null || result.verdict === 'sound' ? [] : [result],
  )
  const line = (label: string, name: string | null, result: Result | null): readonly string[] =>
    sideLine(
      label,
      name === null ? 'has no such file' : `${name}: ${result === null ? 'not read' : verdictWord(result)}`,
      options,
    )
  return [
    ...line('A', names.a, results.a),
    ...line('B', names.b, results.b),
    ...problems.flatMap((result) => ['', ...describeUnsound(result, 'compare', options)]),
    ...describePinned([results.a, results.b], options),
    ...tableLines(tables, options),
    ...tables.flatMap((table) => differenceLines(table, options)),
    ...schemaLines(file, options),
  ]
}

const sideLine = (label: string, text: string, options: TextOptions): readonly string[] =>
  wrapLabelled(label, text, { indent: 0, labelWidth: 3, width: options.width })

const wordOf: Readonly<Record<ComparisonWord, string>> = {
  equal: 'equal',
  differs: 'DIFFERS',
  'only-in-a': 'ONLY IN A',
  'only-in-b': 'ONLY IN B',
  'not-compared': 'not compared',
}

function tableLines(tables: readonly TableComparison[], options: TextOptions): readonly string[] {
  const { listed, folded } = foldEqualTables(tables, options)
  const number = (value: number | null): string => (value === null ? '-' : groupDigits(value))
  const columns = [
    { head: 'TABLE', align: 'left' },
    { head: 'A AND B', align: 'left' },
    { head: 'ROWS IN A', align: 'right' },
    { head: 'ROWS IN B', align: 'right' },
    { head: 'DIFFERING', align: 'right' },
  ] as const
  const rows = listed.map((table) => [
    legibleName(table.name),
    wordOf[table.comparison],
    number(table.rows.a),
    number(table.rows.b),
    differingWord(table),
  ])
  return [
    ...(rows.length === 0 ? [] : ['', ...renderTable(columns, rows, { ...options, paint: paintComparison(options) })]),
    ...(folded > 0
      ? [
          ...(rows.length === 0 ? [''] : []),
          ...wrap(`${rows.length === 0 ? '' : 'and '}${count(folded, 'table')} equal`, options.width),
        ]
      : []),
    ...(options.verbose
      ? [
          '',
          ...listed.flatMap(({ name, digest }) =>
            wrap(`${legibleName(name)}: digest ${digest.a ?? '-'} in A, ${digest.b ?? '-'} in B`, options.width),
          ),
        ]
      : []),
  ]
}

function differingWord({ comparison, differing }: TableComparison): string {
  if (differing !== null) return differing.exact ? groupDigits(differing.rows) : `>= ${groupDigits(differing.rows)}`
  return comparison === 'differs' ? '?' : '-'
}

const toldBy = {
  rowid: 'identified by rowid',
  'primary-key': 'identified by primary key',
  content: 'identified by content, because rowids identify nothing here; the rowids are those of each side',
} as const

/** The rows of a table that differ, by their keys. */
export function differenceLines(
  { name, partOf, comparison, rowsToldBy, differing, why }: TableComparison,
  options: TextOptions,
): readonly string[] {
  if (comparison === 'equal' || (differing === null && why === null)) return []
  const of = partOf === null ? '' : ` (data of the virtual table ${legibleName(partOf)})`
  const rows =
    differing === null || rowsToldBy === null
      ? ''
      : `${differing.exact ? '' : 'at least '}${count(differing.rows, 'row')} ` +
        `${differing.rows === 1 ? 'differs' : 'differ'}, ${toldBy[rowsToldBy]}`
  const colors = createColors(options.color)
  return [
    '',
    ...wrap(`${legibleName(name)}${of}${rows === '' ? '' : `: ${rows}`}`, options.width).map((line) =>
      colors.bold(line),
    ),
    ...(differing === null
      ? []
      : [
          ...rowLines('changed', differing.different, options),
          ...rowLines('only in A', differing.onlyInA, options),
          ...rowLines('only in B', differing.onlyInB, options),
        ]),
    ...(why === null
      ? []
      : wrapLabelled('note', legibleSentence(why), { indent: 2, labelWidth: 11, width: options.width })),
  ]
}

function rowLines(label: string, { total, keys }: DifferingRows, options: TextOptions): readonly string[] {
  if (total === 0) return []
  return wrapLabelled(label, `${groupDigits(total)}: ${listFirst(keys.map(printableKey), total)}`, {
    indent: 2,
    labelWidth: 11,
    width: options.width,
  })
}

function schemaLines({ schemaDifferences }: FileComparison, options: TextOptions): readonly string[] {
  if (schemaDifferences.length === 0) return []
  const shown = options.verbose ? schemaDifferences : schemaDifferences.slice(0, differencesShownMax)
  const more = schemaDifferences.length - shown.length
  const lines = [
    ...shown.map(({ text }) => legibleSentence(text)),
    ...(more > 0 ? [`${more} more; --verbose shows all`] : []),
  ]
  return ['', createColors(options.color).bold('Schema'), ...lines.flatMap((text) => wrapIndented(text, options))]
}

/** @param ending what follows; empty if a sentence about all files comes later */
function fileSummary(file: FileComparison, ending: string, options: TextOptions): readonly string[] {
  const { why, tables } = file
  if (why !== null && tables.length === 0)
    return wrap(`Nothing was compared: ${legibleSentence(why)}.${ending}`, options.width)
  const tally = new ComparisonTally()
  tally.add(file)
  return [
    ...(why === null ? [] : wrap(`Not compared: ${legibleSentence(why)}`, options.width)),
    ...wrap(`${outcomeWords[tally.outcome]}. ${tablesOf(tally.counts)}.${ending}`, options.width),
  ]
}

const outcomeWords = {
  equal: 'A and B hold the same',
  differ: 'A and B differ',
  inconclusive: 'A and B were compared only in part',
} as const

function tablesOf({ tables, schemaDifferences }: Omit<ComparisonSummary, 'exitCode'>): string {
  const ofSchema = schemaDifferences === 0 ? '' : `; ${count(schemaDifferences, 'difference')} besides rows`
  return `${countsOf(tables, 'table')}${ofSchema}`
}

const countsOf = ({ total, equal, differing, onlyInA, onlyInB, notCompared }: ComparisonCounts, noun: string): string =>
  `${count(total, noun)}: ${equal} equal, ${differing} differing, ${onlyInA} only in A, ${onlyInB} only in ` +
  `B, ${notCompared} not compared`

const endingOf = ({ exitCode }: ComparisonSummary): string => `Exit code ${exitCode}: ${comparisonWords(exitCode)}.`
