import { runFleet, withFleetRun, type FleetRunOptions } from '../../fleet/sweep-and-triage.ts'
import type { CommandGroup, Invocation } from '../../invocation.ts'
import { textOrDocument } from '../../printing/printer.ts'

const help = `
Something crashes, and it is not known on which host the cause is. The agents
check their tenants now, also while a sweep works. Those known to be damaged
come first, then those that could not be read, then those never checked. If you
know the host, type \`holdfast triage\` there: it uses more signs of the crash.

The fast pass (--depth quick) compares no index with its table. So it does not
end a report of damage: \`fleet status\` shows known damage until a full check
finds the file sound. The command waits until the triage has ended. A signal, or
half an hour without an answer of the database, ends only the command.

Examples:
  holdfast fleet triage                    all hosts, the fast pass
  holdfast fleet triage --host db7         one host
  holdfast fleet triage --service notes    one service, wherever it runs
  holdfast fleet triage --depth full       every index against its table

Exit codes: 0 all sound (--detach: it has begun), 1 failed, 2 damaged,
  3 inconclusive, stopped, or the database cannot be reached, 4 a tenant may be
  paused, 64 usage, 70 bug, 75 another triage of the fleet is unfinished, 78
  configuration, 129/130/131/143 ended by a signal`

export function addFleetTriage(invocation: Invocation, group: CommandGroup): void {
  withFleetRun(
    group.add('triage', textOrDocument).description('something crashes: find the damaged tenant on all hosts'),
    'quick',
  )
    .addHelpText('after', help)
    .action((options: FleetRunOptions) =>
      invocation.performWithoutProc(() => runFleet('triage', options, invocation.terminal)),
    )
}
