import { Option } from 'commander'
import type { FleetDatabase } from '../../../fleet/database/database.ts'
import { readAgents, readHosts } from '../../../fleet/status/read-facts.ts'
import { removeHost, type RemovedHost } from '../../../fleet/status/remove-host.ts'
import { newRunId } from '../../../ledger/run-lock/run-id.ts'
import { exitCodes, type ExitCode } from '../../../model/exit-code.ts'
import { Failure } from '../../../model/failure.ts'
import { fleetAgentsDocument, fleetAgentsText } from '../../../report/fleet/fleet-agents.ts'
import { printable } from '../../../text/printable.ts'
import { userAtHost } from '../../fleet/pause-commands.ts'
import { askFleet, fleetToRead } from '../../fleet/read-fleet.ts'
import type { CommandGroup, Invocation } from '../../invocation.ts'
import { durationOption, withCommon, type CommonOptions } from '../../options.ts'
import { textOrDocument } from '../../printing/printer.ts'
import type { Terminal } from '../../terminal/terminal.ts'

interface FleetAgentsOptions extends CommonOptions {
  readonly maxAge: number
  /** The name of a host. */
  readonly remove?: string
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
    .option('--remove <host>', 'take this host, which will not come back, out of the fleet; show the others')
    .addHelpText(
      'after',
      `
SEEN is the time since the agent last reported; after five minutes it is MISSED.
STALE is the number of files that were not found sound in time. OUTBOX is the
number of results that the agent has and that are not in the database yet.

--remove is for a host that was taken away for good: no sweep waits for it any
more. It is refused while its agent reports (SEEN is not MISSED), or while the
host has a slot. It needs a role that may write. Results stay in the history,
and the removal is a row of it. Tenants that no other host has are named, now
and by \`fleet reconcile\`. If the agent starts again, the host is back.

Examples:
  holdfast fleet agents                  for a person
  holdfast fleet agents --json           for a program
  holdfast fleet agents --remove db7     db7 will not come back

Exit codes: 0 answered or removed, 1 failed, 3 the database cannot be reached,
  64 usage or no such host, 70 bug, 75 the host still reports or has a slot,
  78 configuration`,
    )
    .action((options: FleetAgentsOptions) => invocation.perform(() => printAgents(options, invocation.terminal)))
}

async function printAgents(options: FleetAgentsOptions, terminal: Terminal): Promise<ExitCode> {
  const settings = await fleetToRead(options.config)
  const { remove, maxAge, verbose = false } = options
  const agents = await askFleet(settings, async (database) => {
    const removed = remove === undefined ? null : await removeOrRefuse(database, remove)
    return { ...(await readAgents(database, maxAge)), removed }
  })
  const { width, cuts, color, commandLine } = terminal
  const text = { width, cuts, color, verbose, config: commandLine.config }
  if (options.json) await terminal.out(fleetAgentsDocument(agents))
  else await terminal.print(fleetAgentsText(agents, text))
  return exitCodes.sound
}

/** @throws {Failure} FLEET_HOST_ACTIVE; USAGE if the fleet has no such host */
async function removeOrRefuse(database: FleetDatabase, host: string): Promise<RemovedHost> {
  const answer = await removeHost(database, { host, by: userAtHost(), run: newRunId() })
  if (!('refused' in answer)) return answer
  const name = printable(host)
  const seen = answer.seenAt === null ? '' : ` at ${new Date(answer.seenAt).toISOString()}`
  switch (answer.refused) {
    case 'seen':
      throw new Failure('FLEET_HOST_ACTIVE', `the agent of ${name} still reports: it was last seen${seen}`)
    case 'slot':
      throw new Failure('FLEET_HOST_ACTIVE', `${name} has a slot, so one of its tenants may be paused`, {
        hint: 'a coordinator frees the slot after fleet.expiry; `holdfast fleet reconcile` lists it until then',
      })
    default: {
      const known = (await readHosts(database)).map((one) => printable(one.name))
      const others = known.length === 0 ? 'it has none' : `there is ${known.slice(0, namedMax).join(', ')}`
      throw new Failure(
        'USAGE',
        `the fleet has no host ${name}: ${others}${known.length > namedMax ? ' and more' : ''}`,
      )
    }
  }
}

const namedMax = 20
