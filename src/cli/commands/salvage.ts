import { resolve } from 'node:path'
import { findConfiguration, loadSettings } from '../../config/load.ts'
import { newRunId } from '../../ledger/run-lock/run-id.ts'
import type { ExitCode } from '../../model/exit-code.ts'
import { salvageFile } from '../../runs/salvage/salvage-file.ts'
import type { Invocation } from '../invocation.ts'
import { durationOption, withReport, type ReportOptions } from '../options.ts'
import { showProgress } from '../progress/progress.ts'
import { printReport, reportPrinting } from '../report-run/print-report.ts'
import { RemedyDocument } from '../report-run/remedy-document.ts'
import { fileRunOptions } from '../run/file-run-options.ts'
import type { Terminal } from '../terminal/terminal.ts'

const printing = reportPrinting(
  (terminal) => new RemedyDocument(terminal, {}, { id: newRunId(), mode: 'salvage', registry: 'none' }),
)

const help = `
salvage reads a damaged file page by page, and writes every row that it can read
into a new file. FILE is never written; no program may have it open. NEW must
not exist. It must not have the name of a WAL or a journal, and none of its own
may lie beside it. NEW gets its name only when both engines found it sound.

Rows that are not certain are in tables of their own: those on pages that no
table owns, and those that violate a constraint. For the table "orders" it is
holdfast_orphaned_orders. If two rows have the same UNIQUE key, the row that the
indexes name stays. A row that an index contradicts stays in its table: the
account beside NEW names it, with the values that the index holds. The account
also lists what was lost, with the keys that the file still knows.

A salvage that was killed is not resumed. Start it again: nothing was lost,
since FILE is only read. What it had left beside NEW is deleted then.

For a tenant, first copy its files: holdfast pull ID ./pulled

Examples:
  holdfast salvage app.db --to app-salvaged.db
  holdfast salvage ./pulled/acme.db --to new.db --json
  holdfast salvage app.db --to new.db --from last-week.db    the schema of a
                                       sound file, where that of app.db is lost

Exit codes: 0 NEW holds everything that app.db had, 2 NEW is sound and rows are
  lost, in tables of their own or contradicted by an index, 1 or 3 no NEW was
  written, 64 usage (NEW exists), 70 bug, 75 in use (try later),
  78 configuration,
  129/130/131/143 ended by a signal`

interface SalvageCommandOptions extends ReportOptions {
  readonly to: string
  readonly from?: string
  readonly backups?: string
  readonly snapshots?: string
  readonly timeout?: number
}

export function addSalvage(invocation: Invocation): void {
  withReport(
    invocation
      .add('salvage', printing)
      .description('write the rows of a damaged file that are readable into a new file')
      .argument('<file>', 'the damaged database file; it is never written')
      .requiredOption('--to <new>', 'the new file; it must not exist'),
    'holdfast.remedy/1',
  )
    .option('--from <backup>', 'id of a backup, or a sound file, whose schema is used where that of FILE is lost')
    .option('--backups <dir>', 'folder of the backups (default: backups.dir of the configuration)')
    .option('--timeout <duration>', 'longest time that the salvage, or a check, may take', durationOption)
    .option('--snapshots <dir>', 'private folder for the copy of FILE (default: one under TMPDIR)')
    .addHelpText('after', help)
    .action((file: string, options: SalvageCommandOptions) =>
      invocation.perform(() => salvageCommand(file, options, invocation.terminal)),
    )
}

async function salvageCommand(file: string, options: SalvageCommandOptions, terminal: Terminal): Promise<ExitCode> {
  const id = newRunId()
  using document = new RemedyDocument(terminal, options, { id, mode: 'salvage', registry: 'none' })
  return await printReport(document, terminal, options, async () => {
    const target = { tenant: null, named: file }
    const fileRun = await fileRunOptions({ ...options, depth: 'full', engine: 'census' }, terminal, id)
    const request = {
      id,
      target,
      to: resolve(options.to),
      from: options.from ?? null,
      backups: await backupsFolder(options),
    }
    document.select([target])
    using line = await showProgress(terminal, options.quiet ?? false)
    const observer = { onProgress: (progress: Parameters<typeof line.update>[0]) => line.update(progress) }
    document.add(await salvageFile(request, fileRun, observer, terminal.interrupt.signal))
    return { stopped: null }
  })
}

async function backupsFolder({ backups, config }: SalvageCommandOptions): Promise<string | null> {
  if (backups !== undefined) return resolve(backups)
  if (config === undefined) return null
  return (await loadSettings(await findConfiguration(config))).backups?.dir ?? null
}
