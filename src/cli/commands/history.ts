import type { Command } from 'commander'
import { wayOf } from '../../config/service-way.ts'
import type { LedgerLine } from '../../ledger/ledger.ts'
import { answerMax } from '../../ledger/protocol.ts'
import { tenantId, type TenantId } from '../../model/brand.ts'
import { exitCodes, type ExitCode } from '../../model/exit-code.ts'
import { Failure } from '../../model/failure.ts'
import { withConfiguration } from '../../report/text/hint.ts'
import { renderHistory, type HistoryEntry } from '../../report/text/history.ts'
import { shellWord } from '../../text/shell-words.ts'
import type { Act } from '../main.ts'
import { positiveNumber, withCommon, type CommonOptions } from '../options.ts'
import { ledgerToRead, settingsToRead } from '../read-ledger.ts'
import { noticeTo } from '../run/run-options.ts'
import type { Terminal } from '../terminal/terminal.ts'

interface HistoryCommandOptions extends CommonOptions {
  readonly limit: number
}

export function addHistory(program: Command, face: Terminal, act: Act): void {
  withCommon(
    program.command('history').description('verdicts and pauses over time, newest first; no tenant is touched'),
    'holdfast.history/1',
  )
    .argument('[id]', 'tenant (default: all)')
    .option('--limit <n>', 'checks to show', positiveNumber, 200)
    .addHelpText(
      'after',
      `
Examples:
  holdfast history acme
  holdfast history --limit 1000 --json

Exit codes: 0 answered, 1 failed, 64 no such tenant, 70 bug, 78 configuration`,
    )
    .action((id: string | undefined, options: HistoryCommandOptions) => act(() => tellHistory(id, options, face)))
}

async function tellHistory(id: string | undefined, options: HistoryCommandOptions, face: Terminal): Promise<ExitCode> {
  const settings = await settingsToRead(options.config ?? null)
  await using ledger = await ledgerToRead(settings.ledger.dir, wayOf(settings))
  const tenant = id === undefined ? null : tenantId(id)
  const { lines, more } = await ledger.checks(tenant, options.limit)
  if (lines.length === 0 && tenant !== null && (await ledger.history(tenant, 1)).length === 0)
    throw new Failure('TENANT_UNKNOWN', `the ledger knows nothing of ${JSON.stringify(id)}`)
  if (ledger.notice !== null) noticeTo(face)(ledger.notice)
  const older = more ? withConfiguration(forOlder(tenant, options.limit, lines.length), face.commandLine.config) : null
  const view = { entries: lines.flatMap(asEntry), older }
  if (options.json) await face.out(renderHistory(view, { ...face, format: 'json' }))
  else await face.print(renderHistory(view, { ...face, format: 'text' }))
  return exitCodes.sound
}

/**
 * What to type for older checks. Fewer than asked for: an answer of the ledger is bounded, and a higher limit would
 * change nothing.
 */
function forOlder(tenant: TenantId | null, limit: number, shown: number): string {
  if (shown < limit || limit >= answerMax.lines)
    return tenant === null ? 'holdfast history TENANT' : 'one answer holds no more of them'
  const id = tenant === null ? '' : ` ${tenant.startsWith('-') ? '-- ' : ''}${shellWord(tenant)}`
  return `holdfast history --limit ${Math.min(limit * 10, answerMax.lines)}${id}`
}

function asEntry({ at, run, event }: LedgerLine): readonly HistoryEntry[] {
  if (event.kind !== 'checked') return []
  const { tenant, path, verdict, damage, evidence, depth, timings, failure } = event.result
  return [
    {
      at,
      run,
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
