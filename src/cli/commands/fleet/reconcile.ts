import { askToResend } from '../../../fleet/status/ask-to-resend.ts'
import { reconcileFleet } from '../../../fleet/status/reconcile-fleet.ts'
import { newRunId } from '../../../ledger/run-lock/run-id.ts'
import { exitCodes, type ExitCode } from '../../../model/exit-code.ts'
import { Failure } from '../../../model/failure.ts'
import {
  exitCodeOfFleet,
  fleetReconciliationDocument,
  fleetReconciliationText,
} from '../../../report/fleet/fleet-reconciliation.ts'
import { askFleet, fleetToRead } from '../../fleet/read-fleet.ts'
import type { CommandGroup, Invocation } from '../../invocation.ts'
import { withCommon, type CommonOptions } from '../../options.ts'
import { textOrDocument } from '../../printing/printer.ts'
import type { Terminal } from '../../terminal/terminal.ts'

interface FleetReconcileOptions extends CommonOptions {
  readonly resend?: boolean
}

const help = `
reconcile looks in the database of the fleet for what does not agree. It asks no
host, pauses no tenant, and does not guess which side is right. \`holdfast
reconcile\` on a host compares its service, files, backups and ledger.

  tenant-on-no-host        it is known, and no host has it any more
  tenant-on-several-hosts  it is on more hosts than fleet.replicas says, or than
                           one if fleet.replicas does not name it
  replica-missing          it is on fewer hosts than fleet.replicas says
  host-unknown             files of a host whose agent never registered
  host-missed              its agent did not report for five minutes
  slot-without-agent       a slot is taken, and its agent does not report
  results-missing          a run has ended without all its results of a host
  counts-differ            counts of the last run differ from its results
  never-checked            files that were known before the last sweep and were
                           never checked

If tenants have replicas on purpose, name them in fleet.replicas (\`holdfast
explain fleet.replicas\`). Each report lists its entries.

With --resend, all agents are asked to send again what their ledgers have. It
rebuilds a database that was lost or restored: start the coordinator and the
agents first, so that the hosts are known. Nothing is checked again. The
database leaves out what it has already.

Examples:
  holdfast fleet reconcile             for a person
  holdfast fleet reconcile --quiet     for cron: silent if all agree
  holdfast fleet reconcile --resend    after the database was lost

Exit codes: 0 all agree, 1 failed, 3 something disagrees or the database cannot
  be reached, 64 usage, 70 bug, 75 agents are still sending, 78 configuration`

export function addFleetReconcile(invocation: Invocation, group: CommandGroup): void {
  withCommon(
    group
      .add('reconcile', textOrDocument)
      .description('find what does not agree in the database of the fleet; no tenant is touched'),
    'holdfast.fleetreconcile/1',
  )
    .option('--resend', 'also ask all agents to send again what their ledgers have')
    .addHelpText('after', help)
    .action((options: FleetReconcileOptions) => invocation.perform(() => reconcile(options, invocation.terminal)))
}

async function reconcile(options: FleetReconcileOptions, terminal: Terminal): Promise<ExitCode> {
  const settings = await fleetToRead(options.config)
  const { found, resent } = await askFleet(settings, async (database) => {
    const found = await reconcileFleet(database, settings.fleet.replicas)
    if (options.resend !== true) return { found, resent: null }
    const answer = await askToResend(database, newRunId())
    if ('tenants' in answer) return { found, resent: answer.tenants }
    throw new Failure('FLEET_RUN_ACTIVE', `the agents are still sending for ${answer.unfinished}`, {
      hint: 'wait until it ends: `holdfast fleet history` shows it',
    })
  })
  const code = exitCodeOfFleet(found)
  const { width, cuts, color, commandLine } = terminal
  if (options.json) await terminal.out(fleetReconciliationDocument(found, resent))
  else if (!options.quiet || code !== exitCodes.sound || resent !== null) {
    const { verbose = false } = options
    const text = { width, cuts, color, verbose, config: commandLine.config }
    await terminal.print(fleetReconciliationText(found, resent, text))
  }
  return code
}
