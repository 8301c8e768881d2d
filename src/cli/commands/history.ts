import type { Command } from 'commander'
import { findConfiguration, loadSettings } from '../../config/load.ts'
import { readLedger, type LedgerLine } from '../../ledger/ledger.ts'
import { tenantId } from '../../model/brand.ts'
import { exitCodes, type ExitCode } from '../../model/exit-code.ts'
import { Failure } from '../../model/failure.ts'
import { renderHistory, type HistoryEntry } from '../../report/history.ts'
import type { Face } from '../face.ts'
import type { Act } from '../main.ts'
import { positive } from '../options.ts'

interface HistoryCommandOptions {
  readonly config?: string
  readonly json?: boolean
  readonly limit: number
}

export function addHistory(program: Command, face: Face, act: Act): void {
  program.command('history').description('verdicts and pauses over time, newest first; no tenant is touched')
    .argument('[id]', 'tenant (default: all)')
    .option('--config <file>', 'configuration (default: holdfast.yaml, then /etc/holdfast/holdfast.yaml)')
    .option('--json', 'print one JSON document on stdout')
    .option('--limit <n>', 'lines of the ledger to look at', positive, 200)
    .addHelpText('after', `
Examples:
  holdfast history acme
  holdfast history --limit 1000 --json

Exit codes: 0 answered, 64 no such tenant, 78 configuration`)
    .action((id: string | undefined, options: HistoryCommandOptions) => act(() => tellHistory(id, options, face)))
}

async function tellHistory(id: string | undefined, options: HistoryCommandOptions, face: Face): Promise<ExitCode> {
  const settings = await loadSettings(await findConfiguration(options.config ?? null))
  await using ledger = await readLedger(settings.ledger.dir)
  const lines = await ledger.history(id === undefined ? null : tenantId(id), options.limit)
  if (id !== undefined && lines.length === 0) throw new Failure('TENANT_UNKNOWN', `the ledger knows nothing of ${JSON.stringify(id)}`)
  await face.out(renderHistory(lines.flatMap(asEntry), { format: options.json ? 'json' : 'text', width: face.width, color: face.color }))
  return exitCodes.sound
}

function asEntry({ at, run, event }: LedgerLine): readonly HistoryEntry[] {
  if (event.kind !== 'checked') return []
  const { tenant, path, verdict, damage, evidence, depth, timings, failure } = event.result
  return [{ at, run, tenant, path, verdict, damage, level: evidence.level, depth, pauseMs: evidence.quiesce?.heldMs ?? timings.pauseMs, failure: failure?.code ?? null }]
}
