import { findConfiguration, loadSettings } from '../../config/load.ts'
import { newRunId } from '../../ledger/run-lock/run-id.ts'
import type { RunId } from '../../model/brand.ts'
import type { ExitCode } from '../../model/exit-code.ts'
import { Failure } from '../../model/failure.ts'
import { withServiceRun } from '../../runs/begin/service-run.ts'
import type { ComparisonObserver } from '../../runs/compare/compare-pairs.ts'
import { compareFiles, compareTenants } from '../../runs/compare/compare.ts'
import { RestoredBackups } from '../backups/restored-backups.ts'
import { areFiles, sidesOf } from '../compare-sides.ts'
import type { Invocation } from '../invocation.ts'
import { durationOption, waitOption, withReport, type ReportOptions } from '../options.ts'
import { showProgress } from '../progress/progress.ts'
import { ComparisonDocument } from '../report-run/comparison-document.ts'
import { printReport, reportPrinting } from '../report-run/print-report.ts'
import { fileRunOptions } from '../run/file-run-options.ts'
import { applyOverrides } from '../run/overrides.ts'
import { serviceRunOptions } from '../run/service-run-options.ts'
import type { Terminal } from '../terminal/terminal.ts'

interface CompareCommandOptions extends ReportOptions {
  readonly snapshot?: boolean
  readonly snapshots?: string
  readonly backups?: string
  readonly timeout?: number
  readonly wait?: number
}

const printing = reportPrinting((terminal) => new ComparisonDocument(terminal, {}, { id: newRunId(), given: null }))

const help = `
An argument with a slash, or the name of an existing file, means a file. The id
of a backup, or backup:ID, means a backup. Every other argument means a tenant
of the configured service; tenant:ID always means a tenant. If one side is a
tenant, holdfast refuses another argument that is the name of a file and of a
tenant. It holds and proves files as \`check FILE\` does, and tenants as
\`check --tenant\` does. It checks both snapshots, then compares them.

If a side has several database files, holdfast compares each with the file of
the same name on the other side. It takes one pair after the other. If the other
side is a single file, it takes only the file of that name, and touches no
other. If the other side is a folder or a tenant, a file that only one side has
is a difference. The report names it, and holdfast does not read it. If each
side has one file, holdfast compares these two, whatever their names.

holdfast compares contents, not layouts: page size, VACUUM, journal mode, order
and text encoding make no difference, and 1 equals 1.0. It identifies a row by
its rowid if that is an INTEGER PRIMARY KEY. In a table WITHOUT ROWID the
primary key identifies it, in any other its values. It shows keys, and never
other values. It also compares columns, indexes, views, triggers, user_version
and application_id. It leaves out SQLite's own tables (sqlite_...).

Examples:
  holdfast compare app.db replica.db             files that no program has open
  holdfast compare --snapshot a.db b.db          no program writes them
  holdfast compare acme ./pulled                 a tenant and its pulled copy
  holdfast compare acme ./search.db              only its search.db
  holdfast compare acme backup:ID                what changed since the backup
  holdfast compare tenant:acme tenant:bolt --json

Exit codes: 0 both are sound and equal, 5 both are sound and differ,
  1 failed, 2 one is damaged (differences are reported as well),
  3 not everything could be read or compared, 4 a tenant may be paused,
  64 usage, 70 bug, 75 in use (try later), 78 configuration,
  129/130/131/143 ended by a signal; of several files the gravest`

export function addCompare(invocation: Invocation): void {
  withReport(
    invocation
      .add('compare', printing)
      .description('compare two files, private copies or tenants, table by table: which rows differ'),
    'holdfast.compare/1',
  )
    .argument('<a>', 'a database file, a folder of them (such as `pull` makes), a backup, or a tenant')
    .argument('<b>', 'what to compare it with')
    .option(
      '--snapshot',
      'the files are private copies: holdfast locks and proves nothing; it recognises manifests of `pull`',
    )
    .option('--timeout <duration>', 'longest time that one check, and the comparison, may take', durationOption)
    .option('--snapshots <dir>', 'private folder for the snapshots of files (default: one under TMPDIR)')
    .option('--backups <dir>', 'folder of the backups (default: backups.dir of the configuration)')
    .addOption(waitOption())
    .addHelpText('after', help)
    .action((a: string, b: string, options: CompareCommandOptions) =>
      invocation.perform(() => compare(a, b, options, invocation.terminal)),
    )
}

async function compare(a: string, b: string, options: CompareCommandOptions, terminal: Terminal): Promise<ExitCode> {
  const run = newRunId()
  using document = new ComparisonDocument(terminal, options, { id: run, given: { a, b } })
  return await printReport(document, terminal, { ...options, copied: options.snapshot ?? false }, () =>
    compareGiven(a, b, options, { run, terminal, document }),
  )
}

async function compareGiven(
  a: string,
  b: string,
  options: CompareCommandOptions,
  {
    run,
    terminal,
    document,
  }: { readonly run: RunId; readonly terminal: Terminal; readonly document: ComparisonDocument },
): Promise<void> {
  await using restored = new RestoredBackups(options, terminal.interrupt.signal)
  const restore = (given: string): Promise<string | null> => restored.restore(given)
  const sides = await sidesOf(a, b, { snapshot: options.snapshot ?? false, config: options.config ?? null, restore })
  document.setSides(sides)
  const fileRun = await fileRunOptions({ ...options, depth: 'full', engine: 'census' }, terminal, run)
  const withObserver = async (work: (watching: ComparisonObserver) => Promise<void>): Promise<void> => {
    using line = await showProgress(terminal, options.quiet ?? false)
    await work({
      onFile: (file) => document.add(restored.withOriginals(file)),
      onProgress: (progress) => line.update(progress),
    })
  }
  if (areFiles(sides)) {
    if (options.wait !== undefined)
      throw new Failure(
        'USAGE',
        '--wait needs tenants: files are compared without a ledger, and no run waits for another',
      )
    return await withObserver((watching) => compareFiles(sides, fileRun, watching, terminal.interrupt.signal))
  }
  const settings = applyOverrides(await loadSettings(await findConfiguration(options.config ?? null)), {
    timeout: options.timeout,
  })
  await withServiceRun(settings, serviceRunOptions(terminal, options, run, 'compare', { document }), (service) =>
    withObserver((watching) => compareTenants(sides, service, fileRun, watching)),
  )
}
