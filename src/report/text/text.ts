/**
 * The report for a tired person: what may be paused, what is damaged, what to type next, and what the exit code means.
 */

import { createColors } from 'picocolors'
import { exitCodes } from '../../model/exit-code.ts'
import { signsOfHarm } from '../../model/failure.ts'
import type { Report, Result, SelectedFile, Summary } from '../../model/result/report.ts'
import { count, groupDigits } from '../../text/count.ts'
import { wrap } from '../../text/layout.ts'
import { printable } from '../../text/printable.ts'
import { renderTable } from '../../text/table.ts'
import { humanMs } from '../../text/units.ts'
import { describeAccepted } from '../accepted-limits.ts'
import { describePinned } from '../describe-pinned.ts'
import { registryLines } from '../registry-line.ts'
import { describeSameFailure, groupFailures } from '../same-failure.ts'
import { exitCodeWords } from '../summary.ts'
import { describeSuspicion } from '../triage/describe-culprit.ts'
import { withConfiguration } from './hint.ts'
import { legibleCommand, legibleName, legibleSentence } from './legible.ts'
import { signOfHarm } from './next-command.ts'
import { describeMaps } from './page-map.ts'
import { describeNotices, describeUnsound, describeProof } from './problem.ts'
import { describeRecoveries } from './recovery.ts'
import { isPaused, pauseWords, rankOfResult, verdictWord } from './result-words.ts'
import type { TextOptions } from './result-words.ts'

/** More sound results than this are counted instead of listed. */
const soundListedMax = 20

export function renderReport(report: Report, given: TextOptions): string {
  const options = suspectsHarm(report) ? { ...given, harm: true } : given
  // A tenant is paused once for all of its files.
  const paused = [...new Set(report.results.filter(isPaused).map(nameOf))]
  const problems = report.results
    .filter(({ verdict }) => verdict !== 'sound')
    .toSorted((a, b) => rankOfResult(a) - rankOfResult(b))
  const lines = [
    ...loudest(paused, report, options),
    ...heading(report, options),
    ...table(
      report.results.toSorted((a, b) => rankOfResult(a) - rankOfResult(b)),
      options,
    ),
    ...(options.verbose ? problems.map((result) => [result] as const) : groupFailures(problems)).flatMap((group) => [
      '',
      ...(group.length > 1 ? describeSameFailure(group, options) : describeUnsound(group[0], report.run.mode, options)),
    ]),
    ...(options.verbose
      ? report.results
          .filter(({ verdict }) => verdict === 'sound')
          .flatMap((result) => ['', ...describeProof(result, options)])
      : []),
    ...describeNotices(report.results, options),
    ...describeAccepted(report.results, options),
    ...describeRecoveries(report.results, options),
    ...describeMaps(report.results, options),
    ...describeSuspicion(report.results, options),
    '',
    ...notReachedLines(report.summary, options),
    ...vouchedLine(report.results, options),
    ...describePinned(report.results, options),
    ...summaryLines(report.summary, nounOf([...report.results, ...(report.summary.notReached ?? [])]), options),
    ...pausedLine(paused, options.config ? ' Run the resume command now.' : ' Run holdfast resume --all now.', options),
  ]
  // If a part is empty, only one empty line remains.
  return `${lines.filter((line, i) => line !== '' || lines[i - 1] !== '').join('\n')}\n`
}

const nameOf = (result: Result): string => legibleName(result.tenant ?? result.path)
const nounOf = (files: readonly SelectedFile[]): 'tenant' | 'file' =>
  files.some(({ tenant }) => tenant === null) ? 'file' : 'tenant'

function loudest(paused: readonly string[], report: Report, options: TextOptions): readonly string[] {
  const colors = createColors(options.color)
  const loud = (line: string): string => colors.bold(colors.red(line))
  return [
    ...(paused.length > 0
      ? [
          ...pausedLine(paused, '', options),
          ...wrap(`${untilWhen(report.results, paused.length)}: ${paused.join(', ')}`, options.width).map(loud),
          '',
          `    ${legibleCommand(withConfiguration('holdfast resume --all', options.config ?? null))}`,
          '',
        ]
      : []),
    ...harmLines(report, options).map(loud),
    ...(report.run.stopped === undefined
      ? []
      : [...wrap(`STOPPED: ${legibleSentence(report.run.stopped)}`, options.width).map(loud), '']),
  ]
}

const suspectsHarm = ({ run, results }: Report): boolean =>
  results.some((result) => signOfHarm(result) !== null) || signsOfHarm.has(run.stopped?.split(':')[0] ?? '')

/** The loudest words of all but a paused tenant (I1.8). */
function harmLines({ results }: Report, options: TextOptions): readonly string[] {
  if (options.harm !== true) return []
  const harmed = results.filter((result) => signOfHarm(result) !== null)
  const names = harmed.length === 0 ? '' : ` Look at ${[...new Set(harmed.map(nameOf))].join(', ')}.`
  return [
    ...wrap(
      'HARM SUSPECTED: holdfast itself, or a lock that does not hold, may damage files. The run was stopped.' +
        `${names} Run nothing more against this service, neither holdfast nor another tool that opens its files, ` +
        'before a person knows the cause.',
      options.width,
    ),
    '',
  ]
}

/**
 * A lease ends by itself. Without one, only a resume ends the pause. If the answer of the service was lost, both are
 * possible.
 */
function untilWhen(results: readonly Result[], tenants: number): string {
  const via = new Set(results.filter(isPaused).map(({ evidence }) => evidence.quiesce?.via ?? null))
  const [it, its] = tenants === 1 ? ['It', 'its'] : ['They', 'their']
  if (via.has('hooks')) return `NOTHING ENDS THIS BY ITSELF: a pause by hooks has no lease. ${it} may still be paused`
  return via.has(null) ? `${it} may still be paused` : `${it} may be paused until ${its} lease ends`
}

/** The line about paused tenants. It comes first and last; the last one names the command. */
function pausedLine(paused: readonly string[], now: string, options: TextOptions): readonly string[] {
  if (paused.length === 0) return []
  const colors = createColors(options.color)
  return wrap(`PAUSED: ${count(paused.length, 'tenant')} may still be paused.${now}`, options.width).map((line) =>
    colors.bold(colors.red(line)),
  )
}

function heading(report: Report, options: TextOptions): readonly string[] {
  const { run } = report
  const head =
    `holdfast ${printable(report.tool.version)} (SQLite ${printable(report.tool.sqlite)}), ` +
    `${run.mode}, run ${printable(run.id)}, ${printable(run.startedAt)} to ${printable(run.finishedAt)}`
  return [...(options.verbose ? [...wrap(head, options.width), ''] : []), ...registryLines(run.registry, options)]
}

function table(results: readonly Result[], options: TextOptions): readonly string[] {
  const sound = results.filter(({ verdict }) => verdict === 'sound')
  const folded = sound.length > soundListedMax && !options.verbose
  const listed = folded ? results.filter(({ verdict }) => verdict !== 'sound') : results
  const colors = createColors(options.color)
  const paint = (cell: string, column: number): string => {
    if (column !== 1) return cell
    if (cell === 'sound') return colors.green(cell)
    return cell === 'inconclusive' || cell === 'BUSY' ? colors.yellow(cell) : colors.bold(colors.red(cell))
  }
  const columns = [
    { head: nounOf(results).toUpperCase(), align: 'left' },
    { head: 'VERDICT', align: 'left' },
    { head: 'DAMAGE', align: 'left' },
    { head: 'PAUSE', align: 'right' },
    { head: 'CHECK', align: 'right' },
  ] as const
  const rows = listed.map((result) => [
    nameOf(result),
    verdictWord(result),
    result.damage === 'none' ? '-' : result.damage,
    pauseWords(result.evidence.level, result.timings.pauseMs),
    humanMs(result.timings.checkMs),
  ])
  const pauses = sound.flatMap(({ timings }) => timings.pauseMs ?? [])
  return [
    ...(rows.length === 0 ? [] : renderTable(columns, rows, { ...options, paint })),
    ...(folded
      ? wrap(
          `${rows.length === 0 ? '' : 'and '}${count(sound.length, nounOf(results))} sound, ` +
            (pauses.length === 0
              ? 'none was paused'
              : `longest pause ${humanMs(pauses.reduce((most, ms) => Math.max(most, ms), 0))}`),
          options.width,
        )
      : []),
  ]
}

/** More than this are counted instead of named. */
const notReachedNamedMax = 20

function notReachedLines({ notReached = [], notCovered }: Summary, options: TextOptions): readonly string[] {
  if (notReached.length === 0) return []
  const named = options.verbose ? notReached : notReached.slice(0, notReachedNamedMax)
  const more = notCovered - named.length
  const names = named.map(({ tenant, path }) => legibleName(tenant ?? path))
  return wrap(
    'NOT COVERED, because the run ended first: ' +
      `${names.join(', ')}${more > 0 ? ` and ${groupDigits(more)} more (--json names them)` : ''}`,
    options.width,
  )
}

/** A verdict on a file that was never locked rests on what the caller states. */
function vouchedLine(results: readonly Result[], options: TextOptions): readonly string[] {
  if (
    !results.some(
      ({ verdict, evidence }) => evidence.level === 'none' && (verdict === 'sound' || verdict === 'damaged'),
    )
  )
    return []
  return wrap('Not locked and not proven: you say that no program writes these files.', options.width)
}

/** A sweep that stopped because locks or leases do not hold ends with 2, whether it found damage or not. */
const wordsOfEnd = ({ exitCode, damaged }: Summary): string =>
  exitCode === exitCodes.damaged && damaged === 0
    ? 'the run was stopped, because locks or leases do not hold'
    : exitCodeWords(exitCode)

function summaryLines(summary: Summary, noun: string, options: TextOptions): readonly string[] {
  const parts = [
    `${groupDigits(summary.sound)} sound`,
    `${groupDigits(summary.damaged)} damaged`,
    `${groupDigits(summary.inconclusive)} inconclusive`,
    `${groupDigits(summary.failed)} failed`,
  ]
  if (summary.notCovered > 0) parts.push(`${groupDigits(summary.notCovered)} NOT COVERED`)
  const { notDue = 0 } = summary
  if (notDue > 0) parts.push(`${groupDigits(notDue)} not due, because an earlier check still counts`)
  return wrap(
    `${count(summary.selected, noun)}: ${parts.join(', ')}. Exit code ${summary.exitCode}: ` +
      `${wordsOfEnd(summary)}.`,
    options.width,
  )
}
