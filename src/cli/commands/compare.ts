import type { Command } from 'commander'
import { findConfiguration, loadSettings } from '../../config/load.ts'
import type { ComparisonObserver } from '../../fleet/compare/compare-pairs.ts'
import { compareFiles, compareTenants } from '../../fleet/compare/compare.ts'
import { withServiceRun } from '../../fleet/run/service-run.ts'
import { newRunId } from '../../ledger/run-lock/run-id.ts'
import type { RunId } from '../../model/brand.ts'
import type { ExitCode } from '../../model/exit-code.ts'
import { Failure } from '../../model/failure.ts'
import { areFiles, tellSides } from '../compare-sides.ts'
import type { Act } from '../main.ts'
import { durationOption, waitOption, withReport, type ReportOptions } from '../options.ts'
import { showProgress } from '../progress/progress.ts'
import { ReportComparison } from '../report-run/report-comparison.ts'
import { overridden } from '../run/overrides.ts'
import { openingOf } from '../run/run-options.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { bareRun } from './check.ts'

export interface CompareOptions extends ReportOptions {
  readonly snapshot?: boolean
  readonly snapshots?: string
  readonly timeout?: number
  readonly wait?: number
}

export function addCompare(program: Command, face: Terminal, act: Act): void {
  withReport(
    program
      .command('compare')
      .description(
        'files, private copies or tenants beside each other: what they hold, table by table, and which rows differ',
      ),
    'holdfast.compare/1',
  )
    .argument('<a>', 'a database file, a folder of them (such as `pull` makes), or a tenant')
    .argument('<b>', 'what to compare it with')
    .option(
      '--snapshot',
      'the files are private copies: nothing is locked, nothing proven; manifests of `pull` are recognised',
    )
    .option('--timeout <duration>', 'longest time that one check, and the comparison, may take', durationOption)
    .option('--snapshots <dir>', 'private folder for the snapshots of files (default: one under TMPDIR)')
    .addOption(waitOption())
    .addHelpText(
      'after',
      `
What has a slash in it, or stands here as a file, is a file. Everything else is
a tenant of the configured service; tenant:ID always is. Beside a tenant, a name
that could be both is refused. Files are held and proven as by \`check FILE\`,
tenants as by \`check --tenant\`; both snapshots are checked before they are
compared.

Where a side has several database files, each is compared with the file of the
same name on the other side, one pair after the other. Beside a single file only
its counterpart is taken, and no other file is touched. Beside a folder or a
tenant, a file that only one side has is a difference; it is named and not read.
Where each side has one file, these are compared, whatever they are called.

Contents are compared, not layouts: page size, VACUUM, journal mode, order and
text encoding make no difference, and 1 is 1.0. Rows are identified by
rowid where that is an INTEGER PRIMARY KEY, by primary key WITHOUT ROWID, else
by what they hold. Keys are shown, never other values. Columns, indexes, views,
triggers, user_version and application_id are compared as well; SQLite's own
tables (sqlite_...) are left out.

Examples:
  holdfast compare app.db replica.db             files that nobody has open
  holdfast compare --snapshot a.db b.db          you say that nobody writes them
  holdfast compare acme ./pulled                 a tenant and what was pulled
  holdfast compare acme ./search.db              only its search.db
  holdfast compare tenant:acme tenant:bolt --json

Exit codes: 0 both are sound and hold the same, 5 both are sound and differ,
  1 failed, 2 one is damaged (what differs is told all the same),
  3 not everything could be read or compared, 4 a tenant may be paused,
  64 usage, 70 bug, 75 in use (try later), 78 configuration,
  129/130/131/143 ended by a signal; of several files the gravest`,
    )
    .action((a: string, b: string, options: CompareOptions) => act(() => compare(a, b, options, face)))
}

async function compare(a: string, b: string, options: CompareOptions, face: Terminal): Promise<ExitCode> {
  const run = newRunId()
  const copied = options.snapshot ?? false
  using outcome = new ReportComparison(face, { ...options, copied }, { id: run, given: { a, b } })
  return await outcome.of(() => compareGiven(a, b, options, { run, face, outcome }))
}

async function compareGiven(
  a: string,
  b: string,
  options: CompareOptions,
  { run, face, outcome }: { readonly run: RunId; readonly face: Terminal; readonly outcome: ReportComparison },
): Promise<void> {
  const sides = await tellSides(a, b, { snapshot: options.snapshot ?? false, config: options.config ?? null })
  outcome.tellSides(sides)
  const bare = await bareRun({ ...options, depth: 'full', engine: 'census' }, face, run)
  const watched = async (work: (watching: ComparisonObserver) => Promise<void>): Promise<void> => {
    using line = await showProgress(face, options.quiet ?? false)
    await work({ onFile: (file) => outcome.add(file), onProgress: (progress) => line.update(progress) })
  }
  if (areFiles(sides)) {
    if (options.wait !== undefined)
      throw new Failure(
        'USAGE',
        '--wait goes with tenants: files are compared without a ledger, and no run waits for another',
      )
    return watched((watching) => compareFiles(sides, bare, watching, face.interrupt.signal))
  }
  const settings = overridden(await loadSettings(await findConfiguration(options.config ?? null)), {
    timeout: options.timeout,
  })
  await withServiceRun(settings, openingOf(face, options, run, 'compare'), (service) =>
    watched((watching) => compareTenants(sides, service, bare, watching)),
  )
}
