import { compareTenant } from '../../../fleet/compare/compare-tenant.ts'
import { askAgents } from '../../../fleet/compare/rows/ask-agents.ts'
import { tenantId } from '../../../model/brand.ts'
import { exitCodes, type ExitCode } from '../../../model/exit-code.ts'
import { copiesText } from '../../../report/fleet/copies-text.ts'
import { jsonText } from '../../../text/json-text.ts'
import { printableSentence } from '../../../text/printable.ts'
import { askFleet, fleetToRead } from '../../fleet/read-fleet.ts'
import type { CommandGroup, Invocation } from '../../invocation.ts'
import { withCommon, type CommonOptions } from '../../options.ts'
import { textOrDocument } from '../../printing/printer.ts'
import type { Terminal } from '../../terminal/terminal.ts'

interface FleetCompareOptions extends CommonOptions {
  readonly byKey?: boolean
  readonly service?: readonly string[]
}

const help = `
Each full check stores a digest of every table in the database of the fleet.
compare reads them for all hosts that have the tenant. No tenant is paused, no
file is read, and no row crosses the network.

Digests say whether rows are the same, whatever the layout of the files. They
are as old as their checks, and the output names the times. If a tenant was
written between two checks, its copies differ for that reason alone. So compare
replicas after a sweep during which nothing was written.

If no host has two files of the tenant, holdfast takes all of them for copies of
one file. Otherwise files of the same name are copies. Copies in services of
different names are compared if --service names these services.

--by-key asks the agents of at most 5 hosts for a snapshot each, as for a check.
The tenant is paused once on each host, within the limits of the fleet. It then
compares rows: the first copy with each other one. Only fingerprints of rows and
the keys of up to 20 rows of each kind that differ cross the network. Up to 1.2
million rows of a table are compared, in at most 10 minutes.

Examples:
  holdfast fleet compare acme
  holdfast fleet compare acme --json
  holdfast fleet compare acme --by-key         which rows differ, now
  holdfast fleet compare acme --service notes --service notes-replica

Exit codes: 0 all copies are sound and the same, 1 failed, 2 a copy is damaged,
  3 not everything could be compared, or the database cannot be reached, 5 all
  are sound and they differ, 64 usage, also a tenant that no host has, 70 bug,
  78 configuration, 129/130/131/143 ended by a signal`

export function addFleetCompare(invocation: Invocation, group: CommandGroup): void {
  withCommon(
    group.add('compare', textOrDocument).description('are the copies of a tenant on all hosts the same?'),
    'holdfast.fleetcompare/1',
  )
    .argument('<tenant>', 'the id of a tenant')
    .option('--service <name...>', 'only copies of these services (default: the one that has the tenant)')
    .option('--by-key', 'take new snapshots, and compare their rows over the network')
    .addHelpText('after', help)
    .action((tenant: string, options: FleetCompareOptions) =>
      invocation.performWithoutProc(() => compareCopiesOf(tenant, options, invocation.terminal)),
    )
}

async function compareCopiesOf(tenant: string, options: FleetCompareOptions, terminal: Terminal): Promise<ExitCode> {
  const settings = await fleetToRead(options.config)
  const { fleet } = settings
  const { signal } = terminal.interrupt
  const onNotice = (notice: string): void => {
    if (options.quiet !== true) terminal.say(`holdfast: ${printableSentence(notice)}`)
  }
  const report = await askFleet(settings, (database) =>
    compareTenant(database, {
      tenant,
      services: options.service ?? null,
      version: terminal.version,
      byKey: options.byKey
        ? (files) => askAgents({ database, fleet, tenant: tenantId(tenant), files, onNotice, signal })
        : null,
    }),
  )
  const exitCode = report.summary.exitCode
  if (options.json) await terminal.out(`${jsonText(report)}\n`)
  else if (!options.quiet || exitCode !== exitCodes.sound) {
    const { width, cuts, color, commandLine } = terminal
    const verbose = options.verbose ?? false
    await terminal.print(copiesText(report, { width, cuts, color, verbose, config: commandLine.config }))
  }
  return exitCode
}
