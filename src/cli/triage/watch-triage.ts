/** What a person sees while a triage works: the order of suspicion, progress, and each culprit when it is found. */
import type { RunAlarms } from '../../alarm/alarms.ts'
import { renderCulprit, type Culprit } from '../../report/triage/describe-culprit.ts'
import type { PassesObserver } from '../../runs/triage/passes.ts'
import type { Suspect } from '../../runs/triage/suspicion.ts'
import type { TriageTotals } from '../../runs/triage/triage.ts'
import { count } from '../../text/count.ts'
import { printable, printableSentence } from '../../text/printable.ts'
import { targetWords } from '../../text/shell-words.ts'
import type { CommonOptions } from '../options.ts'
import { showProgress } from '../progress/progress.ts'
import type { ResultsDocument } from '../report-run/results-document.ts'
import { resultRecorder } from '../run/with-progress.ts'
import type { Terminal } from '../terminal/terminal.ts'

/** So many suspects are named before the first is examined. */
const namedMax = 5
/** More culprits than this are in the report only. */
const culpritsMax = 10

export async function watchTriage(
  terminal: Terminal,
  { quiet = false, json = false, verbose = false, logLevel }: CommonOptions,
  document: ResultsDocument,
  work: (watching: PassesObserver) => Promise<TriageTotals>,
  alarms: Pick<RunAlarms, 'consider' | 'revise' | 'culprit'> | null = null,
): Promise<TriageTotals> {
  using line = await showProgress(terminal, quiet)
  let suspects = 0
  let culprits = 0
  return await work({
    onSelected: (targets) => {
      suspects = targets.length
      document.select(targets)
    },
    onOrder: (order) => {
      if (!quiet) for (const sentence of describeOrder(order)) terminal.say(sentence)
    },
    ...resultRecorder(terminal, { logLevel }, document, alarms),
    onProgress: (progress) => line.update(progress),
    onCulprit: (result, place, again) => {
      if (++culprits === 1) alarms?.culprit(result)
      if (culprits > culpritsMax) return
      const seen = { result, place, suspects, again }
      if (json) return terminal.say(sentenceOf(seen))
      const { width, cuts, color, commandLine } = terminal
      void terminal.print(renderCulprit(seen, { width, cuts, color, verbose, config: commandLine.config }))
    },
  })
}

const nothing = 'nothing speaks against any of them'

function describeOrder(order: readonly Suspect[]): readonly string[] {
  const suspected = order.filter(({ suspicion }) => suspicion.length > 0)
  const shown = suspected.slice(0, namedMax)
  const more = suspected.length - shown.length
  return [
    `triage of ${count(order.length, 'file')}; ${suspected.length === 0 ? nothing : 'the most suspicious first'}`,
    ...shown.map(({ target, suspicion }) => {
      const reasons = suspicion.map(({ text }) => printableSentence(text)).join('; ')
      return `  ${printable(target.tenant ?? target.named)}: ${reasons}`
    }),
    ...(more > 0 ? [`  and ${count(more, 'other')}`] : []),
  ]
}

/** For a person beside a program that reads the document. */
function sentenceOf({ result, place, suspects, again }: Culprit): string {
  const { tenant, path, damage, remedy } = result
  const next = remedy.command ?? `holdfast check ${targetWords(tenant, path)}`
  return (
    `${again ? 'CONFIRMED' : 'CULPRIT'} ${printable(tenant ?? path)}: damaged (${damage}), number ${place} of ` +
    `${suspects} in the order of suspicion; next: \`${printableSentence(next)}\``
  )
}
