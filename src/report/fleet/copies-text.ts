/** The comparison of the copies of a tenant as text: the copies, the tables that differ, and what to do next. */

import { createColors } from 'picocolors'
import type {
  ComparedCopy,
  CopiesCounts,
  CopiesOfFile,
  CopiesOfTable,
  CopiesWord,
  FleetComparison,
  PairByKey,
  TableVariant,
} from '../../fleet/compare/fleet-comparison.ts'
import { exitCodes } from '../../model/exit-code.ts'
import { count, groupDigits } from '../../text/count.ts'
import { wrap } from '../../text/layout.ts'
import { shellWord } from '../../text/shell-words.ts'
import { renderTable } from '../../text/table.ts'
import { humanMs } from '../../text/units.ts'
import { foldEqualTables, paintComparison } from '../comparison/compared-tables.ts'
import { differenceLines } from '../comparison/comparison-text.ts'
import { exitCodeWords } from '../summary.ts'
import { withConfiguration } from '../text/hint.ts'
import { legibleCommand, legibleName, legibleSentence } from '../text/legible.ts'
import type { TextOptions } from '../text/result-words.ts'

export function copiesText(report: FleetComparison, options: TextOptions): string {
  const { tenant, files, summary, copiesLeftOut } = report
  const head = `Tenant ${legibleName(tenant)}: ${count(summary.copies, 'copy', 'copies')}`
  const lines = [
    createColors(options.color).bold(head),
    ...files.flatMap((file) => ['', ...fileLines(file, files.length > 1, options)]),
    ...(copiesLeftOut === true
      ? ['', ...wrap('The fleet has more copies; they were not compared.', options.width)]
      : []),
    '',
    ...wrap(summaryOf(report), options.width),
    ...nextLines(report, options),
  ]
  return `${lines.join('\n')}\n`
}

const wordOf: Readonly<Record<CopiesWord, string>> = {
  equal: 'equal',
  differs: 'DIFFERS',
  'not-compared': 'not compared',
}

function fileLines(file: CopiesOfFile, named: boolean, options: TextOptions): readonly string[] {
  const { name, comparison, copies, why, tables } = file
  return [
    ...(named ? wrap(`File ${legibleName(name)}: ${wordOf[comparison]}`, options.width) : []),
    ...copyTable(copies, options),
    ...(why === null ? [] : ['', ...wrap(`Not wholly compared: ${legibleSentence(why)}`, options.width)]),
    ...tableLines(tables, copies.length, options),
    ...schemaLine(file, options),
    ...(file.byKey ?? []).flatMap((pair) => pairLines(pair, options)),
    ...(file.byKey === undefined ? apartLine(file, options) : []),
  ]
}

function copyTable(copies: readonly ComparedCopy[], options: TextOptions): readonly string[] {
  const columns = [
    { head: 'COPY', align: 'left' },
    { head: 'VERDICT', align: 'left' },
    { head: 'DIGESTS OF (UTC)', align: 'left' },
    { head: 'FILE', align: 'left' },
  ] as const
  const rows = copies.map(({ label, verdict, digestsOf, path }) => [
    legibleName(label),
    verdict === null ? 'never checked' : verdict === 'damaged' ? 'DAMAGED' : verdict,
    digestsOf === null ? '-' : digestsOf.slice(0, 19).replace('T', ' '),
    legibleName(path),
  ])
  return renderTable(columns, rows, { ...options, paint: (cell) => cell })
}

function tableLines(tables: readonly CopiesOfTable[], copies: number, options: TextOptions): readonly string[] {
  if (tables.length === 0) return []
  const { listed, folded } = foldEqualTables(tables, options)
  const columns = [
    { head: 'TABLE', align: 'left' },
    { head: 'COPIES', align: 'left' },
    { head: 'ROWS', align: 'right' },
    { head: 'ON', align: 'left' },
  ] as const
  const rows = listed.flatMap(({ name, comparison, variants }) =>
    variants.map((variant, at) => [
      at === 0 ? legibleName(name) : '',
      at === 0 ? wordOf[comparison] : '',
      variant.missing ? 'no such table' : variant.rows === null ? '-' : groupDigits(variant.rows),
      onWords(variant, copies),
    ]),
  )
  return [
    ...(rows.length === 0 ? [] : ['', ...renderTable(columns, rows, { ...options, paint: paintComparison(options) })]),
    ...(folded > 0
      ? ['', ...wrap(`${rows.length === 0 ? '' : 'and '}${count(folded, 'table')} equal`, options.width)]
      : []),
    ...(options.verbose ? ['', ...listed.flatMap((table) => digestLines(table, options))] : []),
    ...listed.flatMap(({ name, why }) =>
      why === null ? [] : wrap(`${legibleName(name)}: ${legibleSentence(why)}`, options.width),
    ),
  ]
}

const onWords = ({ copies }: TableVariant, all: number): string =>
  copies.length === all && all > 1 ? 'all' : copies.map(legibleName).join(', ')

const digestLines = ({ name, variants }: CopiesOfTable, options: TextOptions): readonly string[] =>
  variants.flatMap(({ digest, copies }) =>
    wrap(`${legibleName(name)}: digest ${digest ?? '-'} on ${copies.map(legibleName).join(', ')}`, options.width),
  )

function schemaLine({ schema, tables }: CopiesOfFile, options: TextOptions): readonly string[] {
  if (tables.length === 0 || schema === 'equal') return []
  const text =
    schema === 'differs'
      ? 'The schemas differ: columns, indexes, views or triggers.'
      : 'Whether the schemas are the same is not known: a check of each copy by this version stores it.'
  return ['', ...wrap(text, options.width)]
}

/** Rows that were compared over the network. */
function pairLines({ a, b, tables, why }: PairByKey, options: TextOptions): readonly string[] {
  const between = `${legibleName(a)} (A) and ${legibleName(b)} (B)`
  if (why !== null) return ['', ...wrap(`Rows of ${between} were not compared: ${legibleSentence(why)}`, options.width)]
  const differing = tables.filter(({ comparison }) => comparison !== 'not-compared').length
  return [
    '',
    ...wrap(`Rows of ${between}: ${count(differing, 'table differs', 'tables differ')} now`, options.width),
    ...tables.flatMap((table) => differenceLines(table, options)),
  ]
}

/** What was written between two checks is a difference of the copies as they were checked, and may be none now. */
function apartLine({ apartMs, comparison }: CopiesOfFile, options: TextOptions): readonly string[] {
  if (apartMs === null || apartMs < 1000 || comparison !== 'differs') return []
  return [
    '',
    ...wrap(
      `The digests were made ${humanMs(apartMs)} apart. A table that was ` +
        'written in between may differ for that reason alone.',
      options.width,
    ),
  ]
}

/** How a person finds out more. */
function nextLines({ tenant, outcome, files }: FleetComparison, options: TextOptions): readonly string[] {
  if (outcome === 'equal') return []
  const isByKey = files.some(({ byKey }) => byKey !== undefined)
  const unread = files.some(({ copies }) => copies.some(({ doubt }) => doubt !== null))
  return [
    ...(outcome === 'differ' && !isByKey
      ? [...wrap('Which rows differ now:', options.width), `  ${legibleCommand(byKeyCommand(tenant, options))}`]
      : []),
    ...(unread
      ? wrap('A sound full check of each copy stores its digests: `holdfast fleet sweep`.', options.width)
      : []),
  ]
}

const byKeyCommand = (tenant: string, { config }: TextOptions): string =>
  withConfiguration(
    `holdfast fleet compare --by-key ${tenant.startsWith('-') ? '-- ' : ''}${shellWord(tenant)}`,
    config ?? null,
  )

const outcomeWords = {
  equal: 'All copies held the same when they were checked',
  differ: 'The copies differed when they were checked',
  inconclusive: 'The copies were compared only in part',
} as const

const endings: Readonly<Record<number, string>> = {
  [exitCodes.sound]: 'all copies are sound and hold the same',
  [exitCodes.differ]: 'all copies are sound, and they differ',
}

function summaryOf({ outcome, summary }: FleetComparison): string {
  const { files, tables, exitCode } = summary
  const ofFiles = files.total > 1 ? `${countsOf(files, 'file')}. ` : ''
  const meaning = endings[exitCode] ?? exitCodeWords(exitCode)
  return `${outcomeWords[outcome]}. ${ofFiles}${countsOf(tables, 'table')}. Exit code ${exitCode}: ${meaning}.`
}

const countsOf = ({ total, equal, differing, notCompared }: CopiesCounts, noun: string): string =>
  `${count(total, noun)}: ${equal} equal, ${differing} differing, ${notCompared} not compared`
