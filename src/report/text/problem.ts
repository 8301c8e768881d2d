/** Prints a result that is not sound: what, where, why, how well proven, and the next command on its own line. */

import { createColors } from 'picocolors'
import { holdingProcesses } from '../../model/holders.ts'
import type { Finding, RowKey } from '../../model/result/finding.ts'
import { describeWalls } from '../../model/result/reading.ts'
import type { Result } from '../../model/result/report.ts'
import { count, groupDigits, listFirst } from '../../text/count.ts'
import { wrapIndented, wrapLabelled, wrap } from '../../text/layout.ts'
import { cutMark } from '../../text/letters.ts'
import { printable, printableSentence } from '../../text/printable.ts'
import { humanBytes, humanMs } from '../../text/units.ts'
import { beforeRemedy, pinClauses, secondSnapshotWords } from '../describe-pinned.ts'
import { legibleCommand, legibleName, legibleObject, legibleSentence } from './legible.ts'
import { commandWhileStopped, isHarmless, nextCommand, type LastCommand } from './next-command.ts'
import { queryLines } from './query.ts'
import { recoveryOf } from './recovery.ts'
import { verdictWord } from './result-words.ts'
import type { TextOptions } from './result-words.ts'
import { tableLines } from './table-rows.ts'

const findingsShownMax = 5
const rowsShownMax = 5
const holdersShownMax = 3
const noticesShownMax = 10

/** @param mode what was run */
export function describeUnsound(result: Result, mode: LastCommand['mode'], options: TextOptions): readonly string[] {
  const colors = createColors(options.color)
  const isOffered = (one: string): boolean => options.harm !== true || isHarmless(one)
  const command = nextCommand(
    result,
    { mode, copied: options.copied ?? false, live: options.live ?? false },
    options.config ?? null,
  )
  const stopped =
    mode === 'triage' && options.harm !== true ? commandWhileStopped(result, options.config ?? null) : null
  return [
    ...titleLines(result, options),
    ...findingLines(result, options),
    ...tableLines(result, options),
    ...failureLines(result, options),
    ...recoveryOf(result).flatMap((sentence, i) => line(i === 0 ? 'beside' : '', sentence, options)),
    ...result.causes.flatMap(({ hint, why }) => line('why', `${legibleSentence(why)} (${hint})`, options)),
    ...line('proof', proofOf(result), options),
    ...sampleLines(result, options),
    ...secondReadingLines(result, options),
    ...labelledIfAny('again', secondSnapshotWords(result), options),
    ...readByLines(result, options),
    ...(result.verdict === 'damaged' ? line('remedy', remedyWords(result.remedy), options) : []),
    ...labelledIfAny('first', beforeRemedy(result), options),
    ...(command === null || !isOffered(command) ? [] : ['  next', `    ${colors.bold(legibleCommand(command))}`]),
    ...(stopped === null
      ? []
      : ['  if the service crashes before that is done: stop it, then', `    ${legibleCommand(stopped)}`]),
  ]
}

export function remedyWords({ do: todo, rehearsed, why }: Result['remedy']): string {
  const tried = todo !== 'rebuild' ? '' : rehearsed ? ' (rehearsed on a copy)' : ' (not rehearsed)'
  return `${todo}${tried}: ${legibleSentence(why)}`
}

/** How a sound result was proven, and what read it. */
export const describeProof = (result: Result, options: TextOptions): readonly string[] => [
  ...titleLines(result, options),
  ...line('proof', proofOf(result), options),
  ...readByLines(result, options),
]

function titleLines(result: Result, options: TextOptions): readonly string[] {
  const colors = createColors(options.color)
  const verdict = `${verdictWord(result)}${result.damage === 'none' ? '' : ` (${result.damage})`}`
  const title = [
    verdict,
    ...(result.tenant === null ? [] : [legibleName(result.tenant)]),
    legibleName(result.path),
  ].join('  ')
  return wrap(title, options.width).map((line) => colors.bold(line))
}

/** The notices of sound results. */
export function describeNotices(results: readonly Result[], options: TextOptions): readonly string[] {
  const notices = results
    .filter(({ verdict }) => verdict === 'sound')
    .flatMap((result) => result.findings.map((finding) => ({ result, finding })))
  if (notices.length === 0) return []
  const shown = options.verbose ? notices : notices.slice(0, noticesShownMax)
  return [
    '',
    ...wrap(`Notices (the ${notices.length === 1 ? 'tenant is' : 'tenants are'} still sound):`, options.width),
    ...shown.flatMap(({ result, finding }) =>
      [noticeSentence(result, finding), ...printedLines(finding)].flatMap((text) => wrapIndented(text, options)),
    ),
    ...(shown.length < notices.length
      ? wrapIndented(`${notices.length - shown.length} more; --verbose shows all`, options)
      : []),
  ]
}

function noticeSentence(result: Result, finding: Finding): string {
  const { rows = [], total = rows.length } = finding
  // Of other notices the table is enough.
  const which = finding.rule === 'invariant-violated' && rows.length > 0 ? ` (${rowsOf(rows, total)})` : ''
  const text = legibleSentence(finding.text, namesOf(finding, result))
  return `${legibleName(result.tenant ?? result.path)}: ${text}${which}`
}

/** What the command of a rule of the application printed. */
function printedLines({ lines = [], total = lines.length }: Finding): readonly string[] {
  const shown = lines.slice(0, rowsShownMax).map((text) => `  ${legibleSentence(text)}`)
  return lines.length === 0 || total <= shown.length
    ? shown
    : [...shown, `  and ${groupDigits(total - shown.length)} more`]
}

const line = (label: string, text: string, options: TextOptions): readonly string[] =>
  wrapLabelled(label, text, { indent: 2, labelWidth: 8, width: options.width })

function findingLines(result: Result, options: TextOptions): readonly string[] {
  const shown = options.verbose ? result.findings : result.findings.slice(0, findingsShownMax)
  const hidden = Math.max(result.findingsTotal, result.findings.length) - shown.length
  return [
    ...shown.flatMap((finding) => [
      ...line(
        'what',
        `${severityWord(finding)}${legibleSentence(finding.text, namesOf(finding, result))} (${finding.rule})`,
        options,
      ),
      ...line('', whereOf(finding), options),
      ...(finding.query === undefined ? [] : queryLines(finding.query, options)),
      ...salvageLines(finding, options),
      ...printedLines(finding).flatMap((text) => line('', text, options)),
    ]),
    ...(hidden > 0
      ? line(
          '',
          `and ${count(hidden, 'more finding')}; ${options.verbose ? '--json' : '--verbose'} shows them`,
          options,
        )
      : []),
  ]
}

/** The values of salvaged rows, with `--show-values` only. */
function salvageLines({ salvage }: Finding, options: TextOptions): readonly string[] {
  if (salvage?.rows === undefined) return []
  const shown = options.verbose ? salvage.rows : salvage.rows.slice(0, rowsShownMax)
  return [
    ...shown.flatMap(({ key, values }) =>
      line(
        'salvage',
        `row ${printableKey(key)}: ` +
          salvage.columns
            .map((column, i) => `${legibleName(column)} = ${legibleSentence(JSON.stringify(values[i] ?? null))}`)
            .join(', '),
        options,
      ),
    ),
    ...(salvage.total > shown.length
      ? line('', `and ${count(salvage.total - shown.length, 'more row')}; --json lists as many as possible`, options)
      : []),
  ]
}

/** Names that its sentence may quote. */
const namesOf = ({ object }: Finding, { path }: Result): readonly string[] => [object.name, object.table ?? '', path]

export const severityWord = ({ severity }: Finding): string =>
  ({ damage: '', leak: 'lost space: ', notice: 'notice: ' })[severity]

/** `in index notes_title of notes, page 69, rows 17, 4242` */
export function whereOf(finding: Finding): string {
  const parts = [
    legibleObject(finding.object),
    ...(finding.page === undefined ? [] : [`page ${finding.page}`]),
    ...(finding.trail && finding.trail.length > 1 ? [`through pages ${finding.trail.slice(0, 8).join(' > ')}`] : []),
    ...(finding.rows && finding.rows.length > 0 ? [rowsOf(finding.rows, finding.total ?? finding.rows.length)] : []),
  ]
  return `in ${parts.join(', ')}`
}

function rowsOf(rows: readonly RowKey[], total: number): string {
  const shown = rows.slice(0, rowsShownMax).map(printableKey)
  const all = Math.max(total, rows.length)
  return `${all === 1 ? 'row' : 'rows'} ${listFirst(shown, all)}`
}

const keyLengthMax = 40
/** A key for people; a long one is cut, because the JSON report has all of it. */
export function printableKey(row: RowKey): string {
  const shown =
    typeof row === 'number' || typeof row === 'string' ? printable(String(row)) : printableSentence(JSON.stringify(row))
  const letters = Array.from(shown) // Not code units: half a letter would come out as another one.
  return letters.length > keyLengthMax ? `${letters.slice(0, keyLengthMax).join('')}${cutMark()}` : shown
}

export function failureLines(result: Result, options: TextOptions): readonly string[] {
  const { failure, reason } = result
  const it = result.tenant === null ? 'the file' : 'the tenant'
  const state = {
    untouched: `${it} was not touched`,
    active: `${it} serves again`,
    'maybe-paused': 'THE TENANT MAY STILL BE PAUSED',
    unknown: `the state of ${it} was not checked since`,
  }
  return [
    ...(failure ? line('what', `${failure.code}: ${legibleSentence(failure.message, [result.path])}`, options) : []),
    ...(reason !== undefined && !(failure && failure.message.includes(reason))
      ? line(failure ? '' : 'what', legibleSentence(reasonBeside(failure, reason), [result.path]), options)
      : []),
    ...(failure ? line('state', state[failure.tenantState], options) : []),
    ...(failure ? line('hint', legibleSentence(failure.hint, [result.path]), options) : []),
  ]
}

/** The reason without the message of the failure at its end, which the report has just printed. */
const reasonBeside = (failure: Result['failure'], reason: string): string =>
  failure && reason.endsWith(`: ${failure.message}`) ? reason.slice(0, -`: ${failure.message}`.length) : reason

/** How the process that read was confined: with `--verbose`, and if it could have used the network. */
function readByLines({ readBy }: Result, options: TextOptions): readonly string[] {
  if (readBy === null || (readBy.confinement.includes('few-calls') && !options.verbose)) return []
  return line(
    'read by',
    `SQLite ${printable(readBy.sqlite)}, in a process that ${describeWalls(readBy.confinement)}`,
    options,
  )
}

/** What samples have read, and since when. */
function sampleLines({ sample }: Result, options: TextOptions): readonly string[] {
  if (sample === undefined) return []
  const { first, last, pages, since, wholeSince } = sample
  const whole =
    wholeSince === null ? 'no round over all pages is complete yet' : `each page was read since ${wholeSince}`
  return line(
    'sample',
    `pages ${groupDigits(first)} to ${groupDigits(last)} of ${groupDigits(pages)}; this round began ${since}; ${whole}`,
    options,
  )
}

const labelledIfAny = (label: string, text: string | null, options: TextOptions): readonly string[] =>
  text === null ? [] : line(label, text, options)

function secondReadingLines({ secondReading, verdict }: Result, options: TextOptions): readonly string[] {
  if (secondReading === undefined || verdict !== 'damaged') return []
  const { how, why, verdict: again, pages, differing } = secondReading
  if (!options.verbose && differing === 0) return []
  if (how === 'not-possible') return line('again', `not read a second time: ${legibleSentence(why ?? '')}`, options)
  const from = how === 'direct' ? 'from the disk, past the page cache' : 'after the kernel was told to forget it'
  const bytes = differing === 0 ? 'the same bytes' : `${groupDigits(differing)} of them hold other bytes there`
  const whole =
    again === null ? '' : again === 'damaged' ? '; a second check found damage too' : `; a second check is ${again}`
  return line('again', `${count(pages, 'page')} read a second time ${from}: ${bytes}${whole}`, options)
}

/** The pause as in the table of the report: from our request until the tenant was seen serving. */
const stoodStill = (pauseMs: number | null): string => (pauseMs === null ? '' : `not serving for ${humanMs(pauseMs)}, `)

/** How strongly the hold was proven. */
export function proofOf({ evidence, failure, timings }: Result): string {
  const level = {
    sealed: 'sealed (exclusive lock, second process refused, kernel lease unbroken)',
    exclusive: 'exclusive (lock held, second process refused, no kernel lease)',
    'writer-locked': 'writer-locked (writers locked out, readers may have it open)',
    pinned: 'pinned (SQLite\u2019s own locks kept the copied bytes still, programs went on)',
    none: failure ? 'none (no seal was reached)' : 'none (nothing was locked)',
  }[evidence.level]
  const untold = holdingProcesses(evidence.holders).filter(
    ({ pid }) => failure?.message.includes(`process ${pid} `) !== true,
  )
  const holders = untold
    .slice(0, holdersShownMax)
    .map(({ pid, command, modes }) => `${printable(command)} (pid ${pid}, ${modes.join('+')})`)
  const more = untold.length - holders.length
  return [
    level,
    ...pinClauses(evidence.pin),
    ...(evidence.snapshot ? [`snapshot of ${humanBytes(evidence.snapshot.bytes)}`] : []),
    ...(evidence.quiesce && evidence.quiesce.heldMs !== null
      ? [
          `${stoodStill(timings.pauseMs)}held ${humanMs(evidence.quiesce.heldMs)} by the clock of ` +
            (evidence.quiesce.via === 'hooks' ? 'holdfast' : 'the service'),
        ]
      : []),
    ...(evidence.attempts > 1 ? [`${evidence.attempts} attempts`] : []),
    ...(holders.length > 0 ? [`held by ${holders.join(', ')}${more > 0 ? ` and ${more} more` : ''}`] : []),
    ...(evidence.unseen.length > 0 ? [`not checked: ${evidence.unseen.map(printable).join(', ')}`] : []),
  ].join('; ')
}
