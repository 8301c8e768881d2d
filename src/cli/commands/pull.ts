import { basename } from 'node:path'
import { findConfiguration, loadSettings } from '../../config/load.ts'
import { requireEmptyFolder, writePulled } from '../../hold/copies/manifest.ts'
import { openSnapshotFolder } from '../../hold/snapshot/temporary-folder.ts'
import { newRunId } from '../../ledger/run-lock/run-id.ts'
import { tenantId } from '../../model/brand.ts'
import type { ExitCode } from '../../model/exit-code.ts'
import { checkCopies } from '../../runs/begin/file-run.ts'
import { withServiceRun } from '../../runs/begin/service-run.ts'
import { keepSnapshotsIn } from '../../runs/keep-snapshot.ts'
import type { RunTotals } from '../../runs/pipeline.ts'
import { sweep } from '../../runs/sweep.ts'
import { findNamedBackup, restoreNamedBackup, type NamedBackup } from '../backups/named-backup.ts'
import type { Invocation } from '../invocation.ts'
import { depthOption, waitOption, withReport, type ReportOptions } from '../options.ts'
import { printReport, reportPrinting } from '../report-run/print-report.ts'
import { ResultsDocument } from '../report-run/results-document.ts'
import { fileRunOptions, reportKept } from '../run/file-run-options.ts'
import { withRecordedEnd } from '../run/record-end.ts'
import { serviceRunOptions } from '../run/service-run-options.ts'
import { withProgress } from '../run/with-progress.ts'
import type { Terminal } from '../terminal/terminal.ts'

interface PullOptions extends ReportOptions {
  readonly depth: 'quick' | 'full'
  readonly backups?: string
  readonly wait?: number
}

const printing = reportPrinting(
  (terminal) => new ResultsDocument(terminal, {}, { id: newRunId(), mode: 'pull', registry: 'none' }),
)

export function addPull(invocation: Invocation): void {
  withReport(
    invocation
      .add('pull', printing)
      .description("copy a tenant's files as they are, with their evidence, to study them elsewhere"),
  )
    .argument('<id>', 'a tenant; or a backup, as backup:ID or by its id alone')
    .argument('<dir>', 'folder to put the files in; nothing in it is overwritten')
    .addOption(depthOption())
    .option('--backups <dir>', 'folder of the backups (default: backups.dir of the configuration)')
    .addOption(waitOption())
    .addHelpText(
      'after',
      `
Examples:
  holdfast pull acme /var/tmp/acme           then copy the folder anywhere
  holdfast check --snapshot acme             there: recognised by its manifest
  holdfast salvage acme/acme.db --to new.db  what can be read of a damaged copy
  holdfast pull vault /var/tmp/vault         of level pinned: not paused, and
                                             each file of a moment of its own
  holdfast pull backup:ID /var/tmp/acme      a backup instead; no tenant is held

Exit codes: 0 sound, 1 failed, 2 damaged, 3 inconclusive,
  4 a tenant may be paused, 64 usage, 70 bug, 75 another run is active,
  78 configuration, 129/130/131/143 ended by a signal; damaged files are
  pulled as well`,
    )
    .action((id: string, folder: string, options: PullOptions) =>
      invocation.perform(() => pullTenant(id, folder, options, invocation.terminal)),
    )
}

async function pullTenant(id: string, folder: string, options: PullOptions, terminal: Terminal): Promise<ExitCode> {
  const run = newRunId()
  using document = new ResultsDocument(terminal, options, { id: run, mode: 'pull', registry: 'live' })
  return await printReport(document, terminal, options, async () => {
    const backup = await findNamedBackup(id, options)
    if (backup !== null) return pullBackup(backup, folder, options, terminal, document)
    const settings = await loadSettings(await findConfiguration(options.config ?? null))
    await document.keepWith(settings)
    const keepSnapshot = await keepSnapshotsIn(folder, terminal.version, reportKept('pulled to', terminal, options))
    const runOptions = serviceRunOptions(terminal, options, run, 'pull', { keepSnapshot, document })
    return withServiceRun(settings, runOptions, (service) =>
      withRecordedEnd(service, document, false, () =>
        withProgress(terminal, options, document, (watching) =>
          sweep(service, { selection: { kind: 'tenants', ids: [tenantId(id)] }, depth: options.depth }, watching),
        ),
      ),
    )
  })
}

/** The database of a backup, with the evidence of the hold that it was taken in; it is checked where it lies. */
async function pullBackup(
  backup: NamedBackup,
  folder: string,
  options: PullOptions,
  terminal: Terminal,
  document: ResultsDocument,
): Promise<RunTotals> {
  const { tenant, path, takenAt, evidence, bytes, sha256 } = backup.manifest
  const { signal } = terminal.interrupt
  await requireEmptyFolder(folder)
  await using scratch = await openSnapshotFolder(null, null)
  const restored = await restoreNamedBackup(backup, scratch.path, signal)
  const about = { tenant, path, takenAt, tool: { version: terminal.version }, evidence }
  const copy = { path: restored, files: [{ part: '', bytes, sha256 }] as const }
  const named = await writePulled(copy, folder, basename(path), about)
  reportKept('pulled to', terminal, options)(named)
  const fileRun = await fileRunOptions({ ...options, engine: 'census' }, terminal, newRunId())
  return await withProgress(terminal, options, document, (watching) => {
    const targets = [{ tenant: null, named }]
    watching.onSelected(targets)
    return checkCopies(fileRun, targets, watching, signal)
  })
}
