/** What came of a sweep or a triage of the fleet, as text and as a document. */
import { createColors } from 'picocolors'
import type { FleetProblem, FleetRunFacts } from '../../../fleet/coordinator/runs/read-run.ts'
import { exitCodes, gravest, type ExitCode } from '../../../model/exit-code.ts'
import { count, groupDigits } from '../../../text/count.ts'
import { jsonText } from '../../../text/json-text.ts'
import { wrap } from '../../../text/layout.ts'
import { tenantWord } from '../../../text/shell-words.ts'
import { renderTable } from '../../../text/table.ts'
import { exitCodeWords } from '../../summary.ts'
import { withConfiguration } from '../../text/hint.ts'
import { legibleCommand, legibleName, legibleSentence } from '../../text/legible.ts'
import type { TextOptions } from '../../text/result-words.ts'

/** A run names no more files than this; `fleet status` has all. */
export const problemsMax = 50

export interface FleetRunReport {
  readonly run: FleetRunFacts
  /** The first `problemsMax` files that are not sound. */
  readonly problems: readonly FleetProblem[]
}

/** As of a sweep of one host. A run that did not reach all of its files proves nothing about the rest. */
export function exitCodeOfFleetRun(run: FleetRunFacts): ExitCode {
  const { maybePaused, damaged, failed, inconclusive, total, done, state } = run
  return gravest([
    ...(maybePaused > 0 ? [exitCodes.maybePaused] : []),
    ...(damaged > 0 ? [exitCodes.damaged] : []),
    ...(failed > 0 ? [exitCodes.failed] : []),
    ...(inconclusive > 0 || state !== 'done' || done < total || total === 0 ? [exitCodes.inconclusive] : []),
  ])
}

export function fleetRunText({ run, problems }: FleetRunReport, options: TextOptions): string {
  const colors = createColors(options.color)
  const code = exitCodeOfFleetRun(run)
  const unnamed = run.damaged + run.failed + run.inconclusive - problems.length
  const columns = [
    { head: 'FILE', align: 'left' },
    { head: 'TENANT', align: 'left' },
    { head: 'HOST', align: 'left' },
    { head: 'VERDICT', align: 'left' },
  ] as const
  const rows = problems.map(({ path, tenant, host, verdict, damage }) => [
    legibleName(path),
    legibleName(tenant),
    legibleName(host),
    verdict === 'damaged' ? `DAMAGED (${legibleName(damage ?? 'unknown')})` : legibleName(verdict),
  ])
  const lines = [
    colors.bold(`${run.kind === 'triage' ? 'Triage' : 'Sweep'} ${run.id} of the fleet: ${run.state}`),
    ...wrap(fleetRunCounts(run), options.width),
    ...(run.said === null ? [] : wrap(`It was stopped: ${legibleSentence(run.said)}.`, options.width)),
    ...(run.total === 0 ? wrap(nothingWords, options.width) : []),
    ...(run.maybePaused > 0
      ? wrap(`${count(run.maybePaused, 'tenant')} MAY STAND STILL: see \`holdfast fleet status\`.`, options.width)
      : []),
    ...(rows.length === 0 ? [] : ['', ...renderTable(columns, rows, { ...options, paint: (cell) => cell })]),
    ...(unnamed > 0 && rows.length > 0 ? [`and ${groupDigits(unnamed)} more`] : []),
    ...nextLines(problems, options),
    '',
    `Exit code ${code}: ${exitCodeWords(code)}`,
  ]
  return `${lines.join('\n')}\n`
}

const nothingWords = 'No file of a tenant is registered yet: an agent registers those of its host when it starts.'

/** `120 of 140 files on 2 hosts: 119 sound, 1 damaged` */
export function fleetRunCounts(run: FleetRunFacts): string {
  const { done, total, hosts } = run
  const parts = (['sound', 'damaged', 'inconclusive', 'failed'] as const)
    .filter((word) => run[word] > 0)
    .map((word) => `${groupDigits(run[word])} ${word}`)
  const head = `${groupDigits(done)} of ${count(total, 'file')} on ${count(hosts, 'host')}`
  return parts.length === 0 ? head : `${head}: ${parts.join(', ')}`
}

/** A command for a tenant is typed on its host. */
function nextLines([first]: readonly FleetProblem[], options: TextOptions): readonly string[] {
  if (first === undefined) return []
  const command = withConfiguration(`holdfast fleet history ${tenantWord(first.tenant)}`, options.config ?? null)
  return ['', 'next', `  ${createColors(options.color).bold(legibleCommand(command))}`]
}

export function fleetRunDocument(report: FleetRunReport, version: string): string {
  const { run, problems } = report
  const { id, kind, state, said, total, done, sound, damaged, inconclusive, failed, maybePaused, hosts } = run
  return `${jsonText({
    schema: 'holdfast.fleetrun/1',
    tool: { version },
    run: { id, kind, state, said },
    counts: { total, done, sound, damaged, inconclusive, failed, maybePaused },
    hosts,
    problems,
    exitCode: exitCodeOfFleetRun(run),
  })}\n`
}
