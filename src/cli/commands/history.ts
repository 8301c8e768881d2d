import { wayOf } from '../../config/service-way.ts'
import { openIncident } from '../../ledger/incident.ts'
import type { LedgerLine } from '../../ledger/ledger.ts'
import { answerMax } from '../../ledger/protocol.ts'
import { tenantId, type TenantId } from '../../model/brand.ts'
import { exitCodes, type ExitCode } from '../../model/exit-code.ts'
import { Failure } from '../../model/failure.ts'
import { withConfiguration } from '../../report/text/hint.ts'
import { renderHistory, type HistoryChange, type HistoryEntry } from '../../report/text/history.ts'
import { shellWord } from '../../text/shell-words.ts'
import type { Invocation } from '../invocation.ts'
import { positiveNumber, withCommon, type CommonOptions } from '../options.ts'
import { textOrDocument } from '../printing/printer.ts'
import { ledgerToRead, settingsToRead } from '../read-ledger.ts'
import { reportNotice } from '../run/report-holds.ts'
import type { Terminal } from '../terminal/terminal.ts'

interface HistoryCommandOptions extends CommonOptions {
  readonly limit: number
}

export function addHistory(invocation: Invocation): void {
  withCommon(
    invocation
      .add('history', textOrDocument)
      .description('verdicts, pauses and changes over time, newest first; no tenant is touched'),
    'holdfast.history/1',
  )
    .argument('[id]', 'tenant (default: all)')
    .option('--limit <n>', 'checks and changes to show', positiveNumber, 200)
    .addHelpText(
      'after',
      `
Examples:
  holdfast history acme                  one tenant
  holdfast history --limit 1000 --json   all tenants, for a program

Exit codes: 0 answered, 1 failed, 64 no such tenant, 70 bug, 78 configuration`,
    )
    .action((id: string | undefined, options: HistoryCommandOptions) =>
      invocation.perform(() => printHistory(id, options, invocation.terminal)),
    )
}

async function printHistory(
  id: string | undefined,
  options: HistoryCommandOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const settings = await settingsToRead(options.config ?? null)
  await using ledger = await ledgerToRead(settings.ledger.dir, wayOf(settings))
  const tenant = id === undefined ? null : tenantId(id)
  const { lines, more } = await ledger.checks(tenant, options.limit)
  if (lines.length === 0 && tenant !== null && (await ledger.history(tenant, 1)).length === 0)
    throw new Failure('TENANT_UNKNOWN', `the ledger knows nothing of ${JSON.stringify(id)}`)
  if (ledger.notice !== null) reportNotice(terminal)(ledger.notice)
  const older = more
    ? withConfiguration(olderChecks(tenant, options.limit, lines.length), terminal.commandLine.config)
    : null
  const runs = await ledger.lastRuns(answerMax.runs)
  const incidents = new Map(runs.map(({ run, incident }) => [run, incident]))
  const open = openIncident(runs, Date.now())
  const view = {
    entries: lines.flatMap((line) => asEntry(line, incidents.get(line.run) ?? null)),
    changes: changesIn(lines),
    incident: open === null ? null : { id: open.id, since: open.since },
    older,
  }
  if (options.json) await terminal.out(renderHistory(view, { ...terminal, format: 'json' }))
  else await terminal.print(renderHistory(view, { ...terminal, format: 'text' }))
  return exitCodes.sound
}

/**
 * What to type for older checks. An answer of the ledger is bounded: if it gave fewer checks than the limit, a higher
 * limit would change nothing.
 */
function olderChecks(tenant: TenantId | null, limit: number, shown: number): string {
  if (shown < limit || limit >= answerMax.lines)
    return tenant === null ? 'holdfast history TENANT' : 'one answer holds no more of them'
  const id = tenant === null ? '' : ` ${tenant.startsWith('-') ? '-- ' : ''}${shellWord(tenant)}`
  return `holdfast history --limit ${Math.min(limit * 10, answerMax.lines)}${id}`
}

function asEntry({ at, run, event }: LedgerLine, incident: HistoryEntry['incident']): readonly HistoryEntry[] {
  if (event.kind !== 'checked') return []
  const { tenant, path, verdict, damage, evidence, depth, timings, failure } = event.result
  return [
    {
      at,
      run,
      incident,
      tenant,
      path,
      verdict,
      damage,
      level: evidence.level,
      depth,
      pauseMs: timings.pauseMs,
      failure: failure?.code ?? null,
    },
  ]
}

/** One for each file of each change: its end, or its beginning if no end is known. @param lines newest first */
function changesIn(lines: readonly LedgerLine[]): readonly HistoryChange[] {
  const keyOf = ({ change, path }: { readonly change: string; readonly path: string }): string =>
    JSON.stringify([change, path])
  const begun = new Map<string, HistoryChange['remedy']>()
  const ended = new Set<string>()
  for (const { event } of lines) {
    if (event.kind === 'change-begun' && event.remedy !== 'undo') begun.set(keyOf(event), event.remedy)
    if (event.kind === 'change-ended') ended.add(keyOf(event))
  }
  return lines.flatMap(({ at, run, event }): readonly HistoryChange[] => {
    if (event.kind !== 'change-ended' && event.kind !== 'change-begun') return []
    const { tenant, path, change } = event
    const seen = { at, run, tenant, path, change, remedy: begun.get(keyOf(event)) ?? null }
    if (event.kind === 'change-ended') return [{ ...seen, how: event.how }]
    return ended.has(keyOf(event)) ? [] : [{ ...seen, how: 'begun' }]
  })
}
