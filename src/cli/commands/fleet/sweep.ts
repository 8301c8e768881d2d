import { runFleet, withFleetRun, type FleetRunOptions } from '../../fleet/sweep-and-triage.ts'
import type { CommandGroup, Invocation } from '../../invocation.ts'
import { textOrDocument } from '../../printing/printer.ts'

const help = `
The agents of all hosts check their tenants. Those never checked come first,
then those that were not found sound, then those whose last sound check is
oldest. At most fleet.maxPaused tenants are paused at the same time, on all
hosts.

The command waits until the sweep has ended. A signal, or half an hour without
an answer of the database, ends only the command; the sweep goes on. A
coordinator gives the agents their tenants; it may start later.
The sweep is stopped if the hosts that are left are silent for 30 minutes, or
after 20 hours. With --host or --service it is no full sweep.

Examples:
  holdfast fleet sweep                     all tenants of all hosts
  holdfast fleet sweep --host db7 db8      of two hosts
  holdfast fleet sweep --depth quick       structure only
  holdfast fleet sweep --detach            begin it, and return now
  holdfast fleet sweep --json > run.json   for a program

Exit codes: 0 all sound (--detach: it has begun), 1 failed, 2 damaged,
  3 inconclusive, stopped, or the database cannot be reached, 4 a tenant may be
  paused, 64 usage, 70 bug, 75 another sweep of the fleet is unfinished, 78
  configuration, 129/130/131/143 ended by a signal`

export function addFleetSweep(invocation: Invocation, group: CommandGroup): void {
  withFleetRun(
    group.add('sweep', textOrDocument).description('check the tenants of all hosts, longest unchecked first'),
    'full',
  )
    .addHelpText('after', help)
    .action((options: FleetRunOptions) =>
      invocation.performWithoutProc(() => runFleet('sweep', options, invocation.terminal)),
    )
}
