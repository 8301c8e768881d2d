import { newRunId } from '../../ledger/run-lock/run-id.ts'
import type { ExitCode } from '../../model/exit-code.ts'
import type { Invocation } from '../invocation.ts'
import { printReport, reportPrinting } from '../report-run/print-report.ts'
import { RemedyDocument } from '../report-run/remedy-document.ts'
import { requestOf, withRemedy, type RemedyOptions } from '../run/remedy-options.ts'
import { runRemedies } from '../run/run-remedies.ts'
import type { Terminal } from '../terminal/terminal.ts'

const printing = reportPrinting(
  (terminal) => new RemedyDocument(terminal, {}, { id: newRunId(), mode: 'repair', registry: 'none' }),
)

const help = `
Without --apply nothing is changed: the remedy is carried out on a copy, which
both engines then check. With --apply the original is kept first, the live file
is changed in a pause, and a fresh snapshot is checked afterwards. If that is
not sound, or the tenant is unwell, the original is put back.

repair rebuilds indexes and full-text indexes, and rewrites a file whose free
list or page accounting is wrong. It never restores: where only a backup helps,
it prints the command.

Examples:
  holdfast repair app.db                    what would be done, tried on a copy
  holdfast repair app.db --apply            the same, and then do it
  holdfast repair app.db --undo             put the original back
  holdfast repair --tenant acme bolt        two tenants of the service
  holdfast repair --tenant acme --apply
  holdfast repair --tenant acme --undo 01KBCZ4E8W2V6X0N3M5R7T9Q1S

Exit codes: 0 nothing to mend, or each plan came out sound on a copy, or each
  change was made and is sound, 1 failed, 2 damage remains, 3 inconclusive, or
  the file was written since the plan, 4 a tenant may be paused, 64 usage,
  70 bug, 75 in use (try later), 78 configuration,
  129/130/131/143 ended by a signal`

export function addRepair(invocation: Invocation): void {
  withRemedy(
    invocation
      .add('repair', printing)
      .description('rebuild what a file can rebuild itself; tried on a copy, and applied only with --apply')
      .argument('[files...]', 'database files that no program has open')
      .option('--tenant <id...>', 'these tenants of the configured service')
      .option('--backups <dir>', 'the folder of backups of files (for tenants: backups.dir); repair only reads it'),
  )
    .addHelpText('after', help)
    .action((files: readonly string[], options: RemedyOptions) =>
      invocation.perform(() => repair(files, options, invocation.terminal)),
    )
}

async function repair(files: readonly string[], options: RemedyOptions, terminal: Terminal): Promise<ExitCode> {
  const id = newRunId()
  const registry = options.tenant === undefined ? 'none' : 'live'
  using document = new RemedyDocument(terminal, options, { id, mode: 'repair', registry })
  return await printReport(document, terminal, options, async () => {
    const request = requestOf(files, options, null, { id, version: terminal.version })
    return runRemedies(files, options, request, { terminal, document })
  })
}
