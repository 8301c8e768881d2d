/**
 * Remedies as text, for a tired person: what is wrong, what will be done or was done, what it costs, and what is lost.
 * Then how to undo it, and the command to type.
 */

import { createColors } from 'picocolors'
import type { RemedyOutcome, RemedyReport, RemedyResult } from '../../model/result/remedy.ts'
import { count, groupDigits } from '../../text/count.ts'
import { wrap } from '../../text/layout.ts'
import { renderTable } from '../../text/table.ts'
import { humanMs } from '../../text/units.ts'
import { registryLines } from '../registry-line.ts'
import { exitCodeWords } from '../summary.ts'
import { withConfiguration } from '../text/hint.ts'
import { legibleCommand, legibleName, legibleSentence } from '../text/legible.ts'
import type { TextOptions } from '../text/result-words.ts'
import { describeRemedy } from './describe-remedy.ts'
import { exitCodeOfRemedy, isMaybePaused, remedyStateOf, type RemedyMode, type RemedyState } from './remedy-summary.ts'
import { lossOf } from './remedy-words.ts'

type Frame = Omit<RemedyReport, 'results'>

/** @param outcomes in the order in which they came */
export function remedyText(frame: Frame, outcomes: readonly RemedyOutcome[], options: TextOptions): string {
  const { mode } = frame.run
  const ranked = outcomes.toSorted((a, b) => rank(a.result, mode) - rank(b.result, mode))
  const results = ranked.map(({ result }) => result)
  const paused = [...new Set(results.filter(isMaybePaused).map(nameOf))]
  const detailed = ranked.filter(({ result }) => options.verbose || remedyStateOf(result, mode) !== 'nothing')
  const lines = [
    ...pausedLines(paused, options),
    ...stoppedLines(frame, options),
    ...registryLines(frame.run.registry, options),
    ...(results.length > 1 || detailed.length === 0 ? table(results, mode, options) : []),
    ...detailed.flatMap((outcome) => ['', ...describeRemedy(outcome, mode, options)]),
    '',
    ...wrap(summaryOf(frame, results), options.width),
    ...pausedLines(paused, options).slice(0, 1),
  ]
  return `${lines.filter((line, i) => line !== '' || (i > 0 && lines[i - 1] !== '')).join('\n')}\n`
}

const nameOf = ({ tenant, path }: RemedyResult): string => legibleName(tenant ?? path)

/** The gravest first. */
const rank = (result: RemedyResult, mode: RemedyMode): number =>
  isMaybePaused(result)
    ? -1
    : ['failed', 'ask', 'applied', 'undone', 'ready', 'nothing'].indexOf(remedyStateOf(result, mode))

function pausedLines(paused: readonly string[], options: TextOptions): readonly string[] {
  if (paused.length === 0) return []
  const { bold, red } = createColors(options.color)
  const command = withConfiguration('holdfast resume --all', options.config ?? null)
  return [
    bold(red(`PAUSED: ${count(paused.length, 'tenant')} may still be paused: ${paused.join(', ')}`)),
    `    ${legibleCommand(command)}`,
    '',
  ]
}

function stoppedLines({ run }: Frame, { width, color }: TextOptions): readonly string[] {
  if (run.stopped === undefined) return []
  const { bold, red } = createColors(color)
  return [...wrap(`STOPPED: ${legibleSentence(run.stopped)}`, width).map((line) => bold(red(line))), '']
}

const columns = [
  { head: 'REMEDY', align: 'left' },
  { head: 'STATE', align: 'left' },
  { head: 'DAMAGE', align: 'left' },
  { head: 'PAUSE', align: 'right' },
  { head: 'LOST', align: 'right' },
] as const

function table(results: readonly RemedyResult[], mode: RemedyMode, options: TextOptions): readonly string[] {
  if (results.length === 0) return []
  const noun = results.every(({ tenant }) => tenant !== null) ? 'TENANT' : 'FILE'
  const several = new Set(results.map(nameOf)).size < results.length
  const colors = createColors(options.color)
  const paint = (cell: string, column: number): string => {
    if (column !== 2) return cell
    if (cell === stateWords.nothing || cell === stateWords.applied) return colors.green(cell)
    return cell === stateWords.ready ? cell : colors.bold(cell)
  }
  const rows = results.map((result) => [
    // A tenant of several files has a line for each.
    several ? legibleName(result.path) : nameOf(result),
    result.plan.do === 'nothing' ? '-' : result.plan.do,
    isMaybePaused(result) ? 'PAUSED?' : stateWords[remedyStateOf(result, mode)],
    result.before.damage === 'none' ? '-' : result.before.damage,
    humanMs(result.applied?.pauseMs ?? null),
    lossOf(result),
  ])
  return renderTable([{ head: noun, align: 'left' }, ...columns], rows, { ...options, paint })
}

const stateWords: Readonly<Record<RemedyState, string>> = {
  ready: 'ready',
  applied: 'APPLIED',
  undone: 'UNDONE',
  nothing: 'sound',
  ask: 'TO DECIDE',
  failed: 'FAILED',
}

function summaryOf({ run: { mode }, summary }: Frame, results: readonly RemedyResult[]): string {
  const { selected, ready, applied, nothing, ask, failed, exitCode } = summary
  const noun = results.length > 0 && results.every(({ tenant }) => tenant !== null) ? 'tenant file' : 'file'
  const left = selected - ready - applied - nothing - ask - failed
  const parts = [
    ...(mode === 'salvage'
      ? [`${groupDigits(applied)} salvaged`]
      : [
          `${groupDigits(ready)} ready`,
          `${groupDigits(applied)} changed`,
          `${groupDigits(nothing)} sound already`,
          `${groupDigits(ask)} to decide`,
        ]),
    `${groupDigits(failed)} failed`,
    ...(left > 0 ? [`${groupDigits(left)} NOT REACHED`] : []),
  ]
  const changed =
    applied > 0 || results.some(({ applied: one }) => one !== null)
      ? ''
      : mode === 'salvage'
        ? ' No new file was written.'
        : ' No file was changed.'
  const only = results.length === 1 && results[0] ? exitCodeOfRemedy(results[0], mode) === exitCode : true
  const words = only ? wordsOf(exitCode, summary, results, mode) : exitCodeWords(exitCode)
  return `${count(selected, noun)}: ${parts.join(', ')}.${changed} Exit code ${exitCode}: ${words}.`
}

/** What 0, 2 and 3 mean here; other codes mean what they mean everywhere. */
function wordsOf(
  code: number,
  { ready, applied }: Frame['summary'],
  results: readonly RemedyResult[],
  mode: RemedyMode,
): string {
  if (mode === 'salvage' && applied > 0) {
    if (code === 0) return 'the new file holds everything'
    if (code === 2)
      return 'the new file is sound, but rows are lost, are in tables of their own, or differ from an index'
  }
  const undone = results.length > 0 && results.every(({ plan }) => plan.do === 'undo')
  if (code === 0 && undone) return 'the original is back in its place'
  if (code === 0 && applied > 0) return 'every change was made as asked, and checked afterwards'
  if (code === 0 && ready > 0) return 'every plan was tried on a copy and came out sound'
  if (code === 0) return 'there is nothing to mend'
  if (code === 2) return 'damage remains'
  return exitCodeWords(code)
}
