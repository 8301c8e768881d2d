/** How a command opens a run against the service. */
import type { RunAlarms } from '../../alarm/alarms.ts'
import type { RunId } from '../../model/brand.ts'
import type { RunOptions } from '../../runs/begin/service-run.ts'
import { printableSentence } from '../../text/printable.ts'
import { logSteps } from '../log/log.ts'
import type { CommonOptions } from '../options.ts'
import type { ResultsDocument } from '../report-run/results-document.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { reportNotice, reportOtherHolds, reportOutcomes, reportRecovered, reportResumeRetry } from './report-holds.ts'
import { runWaitOf, type WaitOptions } from './wait-option.ts'

export function serviceRunOptions(
  terminal: Terminal,
  options: CommonOptions & WaitOptions,
  run: RunId,
  mode: RunOptions['mode'],
  more: Partial<
    Pick<RunOptions, 'keepSnapshot' | 'engine' | 'map' | 'sampleShare' | 'showValues' | 'incident' | 'request'>
  > & {
    /** The report that names the incident, holds of others, the list of tenants, and backups that could not be kept. */
    readonly document?: Partial<
      Pick<ResultsDocument, 'addOtherHolds' | 'addNotice' | 'joinIncident' | 'addDamagedPages'>
    > &
      Pick<ResultsDocument, 'setRegistry'>
    readonly alarms?: RunAlarms
  } = {},
): RunOptions {
  return {
    run,
    mode,
    keepSnapshot: more.keepSnapshot ?? null,
    backups: {
      keep: mode === 'check' || mode === 'sweep' || mode === 'triage',
      onKept: () => undefined,
      onNotice: (notice) => {
        terminal.say(`holdfast: backups: ${printableSentence(notice)}`)
        more.document?.addNotice?.(notice)
      },
    },
    onDamagedPages: (pages) => more.document?.addDamagedPages?.(pages),
    engine: more.engine ?? 'census',
    // The page of a kept report shows where the damage is.
    map: more.map === true || (mode !== 'compare' && 'damaged'),
    sampleShare: more.sampleShare ?? null,
    showValues: more.showValues ?? false,
    version: terminal.version,
    argv: process.argv.slice(2),
    incident: more.incident ?? null,
    request: more.request ?? null,
    onIncident: ({ id }) => {
      more.document?.joinIncident?.(id)
      more.alarms?.joinIncident(id)
    },
    interrupt: terminal.interrupt.signal,
    waiting: runWaitOf(terminal, options),
    onRegistry: (source, notices) => {
      more.document?.setRegistry(source)
      for (const notice of notices) {
        terminal.say(`holdfast: registry: ${printableSentence(notice)}`)
        more.document?.addNotice?.(notice)
      }
    },
    onStep: logSteps(terminal, run, options.logLevel),
    onNotice: reportNotice(terminal),
    onReportNotice: (notice) => {
      terminal.say(`holdfast: ${printableSentence(notice)}`)
      more.document?.addNotice?.(notice)
    },
    onEndings: (outcomes) => {
      reportOutcomes(terminal, outcomes)
      more.alarms?.considerEndings(outcomes)
    },
    onRecovered: reportRecovered(terminal),
    onResumeRetry: reportResumeRetry(terminal),
    onOthers: (others, config) => {
      reportOtherHolds(terminal, others, config)
      more.document?.addOtherHolds?.(others, config)
    },
  }
}
