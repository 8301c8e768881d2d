import { wayOf } from '../../config/service-way.ts'
import { newRunId } from '../../ledger/run-lock/run-id.ts'
import type { RegistrySource } from '../../model/event.ts'
import { exitCodes, type ExitCode } from '../../model/exit-code.ts'
import type { ReconciliationReport } from '../../model/reconciliation.ts'
import { reconciliationText } from '../../report/reconciliation/reconciliation-text.ts'
import { registryWord } from '../../report/registry-line.ts'
import { reconcile, type Reconciliation } from '../../runs/reconcile/reconcile.ts'
import { connectService } from '../../service/connect.ts'
import { jsonText } from '../../text/json-text.ts'
import { printableSentence } from '../../text/printable.ts'
import type { Invocation } from '../invocation.ts'
import { withCommon, type CommonOptions } from '../options.ts'
import { textOrDocument } from '../printing/printer.ts'
import { ledgerToRead, settingsToRead } from '../read-ledger.ts'
import { reportNotice } from '../run/report-holds.ts'
import type { Terminal } from '../terminal/terminal.ts'

const help = `
reconcile compares the service's list of tenants, the files below tenants.roots,
the backups and the ledger. It pauses no tenant, opens no file of a tenant, and
says nothing about damage. A disagreement counts only if it is found twice, a
second apart. What may be under way is counted apart. That is a hold or a change
of a run at work, or a file that is newer than the list or the last full sweep.

  open-hold, open-change   left by a run that is gone
  claimed-twice            one file of several tenants, also by a link
  missing-file             listed, and not there
  outside-roots            listed, and outside of tenants.roots
  tenant-gone, file-gone   known to the ledger, and no longer listed
  unknown-file             a database that no tenant claims
  companion-without-main   a WAL or a journal whose database is not there
  never-checked            older than the last full sweep, and in no check
  no-verified-backup       if backups are configured
  backup-without-tenant    a backup of what the service does not list

Examples:
  holdfast reconcile               for a person
  holdfast reconcile --quiet       for cron: silent if all agree
  holdfast reconcile --json        for a program

Exit codes: 0 all agree, 1 failed, 3 something disagrees or could not be
  compared, 64 usage, 70 bug, 78 configuration, 129/130/131/143 ended by a
  signal`

export function addReconcile(invocation: Invocation): void {
  withCommon(
    invocation
      .add('reconcile', textOrDocument)
      .description('compare the list of tenants, the files, the backups and the ledger; no tenant is touched'),
    'holdfast.reconcile/1',
  )
    .addHelpText('after', help)
    .action((options: CommonOptions) => invocation.perform(() => reconcileService(options, invocation.terminal)))
}

async function reconcileService(options: CommonOptions, terminal: Terminal): Promise<ExitCode> {
  const settings = await settingsToRead(options.config ?? null)
  const startedAt = new Date().toISOString()
  const notices: string[] = []
  let source: RegistrySource | null = null
  await using ledger = await ledgerToRead(settings.ledger.dir, wayOf(settings))
  await using service = await connectService(settings.service)
  const outcome = await reconcile({
    settings,
    service,
    reading: ledger,
    // This command has no run lock, so it writes no line.
    ledger: { append: () => Promise.resolve() },
    signal: terminal.interrupt.signal,
    now: Date.now,
    onRegistry: (read, added) => {
      source = read
      for (const notice of added) if (!notices.includes(notice)) notices.push(notice)
    },
  })
  for (const notice of notices) terminal.say(`holdfast: registry: ${printableSentence(notice)}`)
  if (ledger.notice !== null) reportNotice(terminal)(ledger.notice)
  const report = reportOf(outcome, {
    version: terminal.version,
    startedAt,
    registry: source === null ? 'none' : registryWord(source),
    notices,
  })
  const { exitCode } = report.summary
  if (options.json) await terminal.out(`${jsonText(report)}\n`)
  else if (!options.quiet || exitCode !== exitCodes.sound) {
    const { width, cuts, color, commandLine } = terminal
    const { verbose = false } = options
    await terminal.print(reconciliationText(report, { width, cuts, color, verbose, config: commandLine.config }))
  }
  return exitCode === exitCodes.sound ? exitCodes.sound : exitCodes.inconclusive
}

/** A report lists no more of each than this. */
const listedMax = 10_000

function reportOf(
  { disagreements, inFlight, notCompared, sources, isCached }: Reconciliation,
  about: {
    readonly version: string
    readonly startedAt: string
    readonly registry: string
    readonly notices: readonly string[]
  },
): ReconciliationReport {
  const byRule = Object.fromEntries(
    [...Map.groupBy(disagreements, ({ rule }) => rule)].map(([rule, all]) => [rule, all.length]),
  )
  const agree = disagreements.length === 0 && notCompared.length === 0 && !isCached
  return {
    schema: 'holdfast.reconcile/1',
    tool: { version: about.version },
    run: {
      id: newRunId(),
      mode: 'reconcile',
      startedAt: about.startedAt,
      finishedAt: new Date().toISOString(),
      registry: about.registry,
      ...(about.notices.length === 0 ? {} : { notices: about.notices }),
    },
    sources,
    disagreements: disagreements.slice(0, listedMax),
    inFlight: inFlight.slice(0, listedMax),
    notCompared: notCompared.slice(0, listedMax),
    summary: {
      agree,
      disagreements: disagreements.length,
      byRule,
      inFlight: inFlight.length,
      notCompared: notCompared.length,
      exitCode: agree ? exitCodes.sound : exitCodes.inconclusive,
    },
  }
}
