import { Option } from 'commander'
import { readAgents } from '../../../fleet/status/read-facts.ts'
import { exitCodes, type ExitCode } from '../../../model/exit-code.ts'
import { fleetAgentsDocument, fleetAgentsText } from '../../../report/fleet/fleet-agents.ts'
import { askFleet, fleetToRead } from '../../fleet/read-fleet.ts'
import type { CommandGroup, Invocation } from '../../invocation.ts'
import { durationOption, withCommon, type CommonOptions } from '../../options.ts'
import { textOrDocument } from '../../printing/printing.ts'
import type { Terminal } from '../../terminal/terminal.ts'

interface FleetAgentsOptions extends CommonOptions {
  readonly maxAge: number
}

export function addFleetAgents(invocation: Invocation, group: CommandGroup): void {
  withCommon(
    group.add('agents', textOrDocument).description('all hosts, when their agents were seen, and what their files are'),
    'holdfast.fleetagents/1',
  )
    .addOption(
      new Option('--max-age <duration>', 'files that were not found sound for longer are stale')
        .argParser(durationOption)
        .default(durationOption('26h'), '26h'),
    )
    .addHelpText(
      'after',
      `
SEEN is the time since the agent last reported; after five minutes it is MISSED.
STALE is the number of files that were not found sound in time. OUTBOX is the
number of results that the agent has and that are not in the database yet.

Examples:
  holdfast fleet agents            for a person
  holdfast fleet agents --json     for a program

Exit codes: 0 answered, 1 failed, 3 the database cannot be reached, 64 usage,
  70 bug, 78 configuration`,
    )
    .action((options: FleetAgentsOptions) => invocation.perform(() => printAgents(options, invocation.terminal)))
}

async function printAgents(options: FleetAgentsOptions, terminal: Terminal): Promise<ExitCode> {
  const settings = await fleetToRead(options.config)
  const agents = await askFleet(settings, (database) => readAgents(database, options.maxAge))
  const { width, cuts, color } = terminal
  if (options.json) await terminal.out(fleetAgentsDocument(agents))
  else await terminal.print(fleetAgentsText(agents, { width, cuts, color, verbose: options.verbose ?? false }))
  return exitCodes.sound
}
