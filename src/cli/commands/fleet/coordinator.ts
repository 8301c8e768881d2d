import { ownFleetDatabase } from '../../../fleet/database/open-database.ts'
import { exitCodes, type ExitCode } from '../../../model/exit-code.ts'
import { fleetToRead } from '../../fleet/read-fleet.ts'
import { runCoordinator } from '../../fleet/run-coordinator.ts'
import type { Invocation } from '../../invocation.ts'
import { printText } from '../../printing/printer.ts'
import type { Terminal } from '../../terminal/terminal.ts'

interface CoordinatorCommandOptions {
  readonly config?: string
}

const help = `
A coordinator begins the sweeps of fleet.schedule, gives the agents their
tenants, and frees the slots of agents that died. It sends the alarms of the
fleet once, to the sinks of \`alerts\`. It touches no tenant. It makes and
migrates the tables of the database, so it starts before the first agent.

Any number of coordinators may run, on any hosts: there is no leader. Without
one the agents finish what is queued, and nothing new begins. With pglite one
process opens the database: a second one on this machine is refused (75).

Examples:
  holdfast coordinator                       with holdfast.yaml of this folder
  holdfast coordinator --config FILE         with another configuration
  holdfast agent --coordinator               both in one process
  holdfast install systemd --coordinator     a unit that starts it

Exit codes: 64 usage, 70 bug, 75 another process has the folder of pglite, 78
  configuration, or the database refuses, 129/130/131/143 ended by a signal`

export function addCoordinator(invocation: Invocation): void {
  invocation
    .add('coordinator', printText)
    .description('give the agents of a fleet their tenants, and send its alarms, until it is ended')
    .option('--config <file>', 'configuration (default: holdfast.yaml, then /etc/holdfast/holdfast.yaml)')
    .addHelpText('after', help)
    .action((options: CoordinatorCommandOptions) => invocation.perform(() => work(options, invocation.terminal)))
}

async function work(options: CoordinatorCommandOptions, terminal: Terminal): Promise<ExitCode> {
  terminal.interrupt.announce('stopping')
  const settings = await fleetToRead(options.config)
  await using database = await ownFleetDatabase(settings.fleet)
  await runCoordinator(settings, database, terminal)
  return exitCodes.sound
}
