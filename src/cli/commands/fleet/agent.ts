import { runAgent } from '../../../fleet/agent/agent.ts'
import { openFleetDatabase, ownFleetDatabase } from '../../../fleet/database/open-database.ts'
import { exitCodes, type ExitCode } from '../../../model/exit-code.ts'
import { printableSentence } from '../../../text/printable.ts'
import { fleetToRead } from '../../fleet/read-fleet.ts'
import { runCoordinator } from '../../fleet/run-coordinator.ts'
import type { Invocation } from '../../invocation.ts'
import { printText } from '../../printing/printer.ts'
import type { Terminal } from '../../terminal/terminal.ts'

interface AgentCommandOptions {
  readonly config?: string
  readonly coordinator?: boolean
}

export function addAgent(invocation: Invocation): void {
  invocation
    .add('agent', printText)
    .description("do this host's share of the work of a fleet, until it is ended")
    .option('--config <file>', 'configuration (default: holdfast.yaml, then /etc/holdfast/holdfast.yaml)')
    .option('--coordinator', 'also be a coordinator of the fleet, in the same process')
    .addHelpText(
      'after',
      `
The agent takes tenants from the database of the fleet (fleet.database), checks
them as \`check --tenant\` does, and delivers the results. It needs the database
to pause a tenant, and never to resume one: if the database or the network
fails, no tenant waits for it. Results wait in the folder \`agent\` beside the
ledger until they are stored, each exactly once.

After a signal it finishes the tenants that are under way, and begins no other.
\`holdfast check\` and \`holdfast sweep\` work beside it, and without a database.

Examples:
  holdfast agent                       with holdfast.yaml of this folder
  holdfast agent --config FILE         with another configuration
  holdfast agent --coordinator         a whole fleet on one machine
  holdfast install systemd --agent     a unit that starts it with the machine

Exit codes: 64 usage, 70 bug, 75 another agent works with this ledger or has the
  folder of the database, 78 configuration, the database refuses, or another
  machine has the name of this host, 129/130/131/143 ended by a signal, with no
  tenant left paused`,
    )
    .action((options: AgentCommandOptions) => invocation.perform(() => work(options, invocation.terminal)))
}

async function work(options: AgentCommandOptions, terminal: Terminal): Promise<ExitCode> {
  terminal.interrupt.announce('ending the tenants that are under way, then stopping')
  const settings = await fleetToRead(options.config)
  const open = options.coordinator === true ? ownFleetDatabase : openFleetDatabase
  await using database = await open(settings.fleet)
  // Each part ends with the other.
  const ending = new AbortController()
  const signal = AbortSignal.any([terminal.interrupt.signal, ending.signal])
  const say = (sentence: string): void => terminal.say(printableSentence(sentence))
  const agent = runAgent({ settings, fleet: settings.fleet, version: terminal.version, database, signal, say })
  const parts = [agent]
  if (options.coordinator === true)
    parts.push(runCoordinator(settings, database, { ...terminal, interrupt: { ...terminal.interrupt, signal } }))
  for (const part of parts)
    part.then(
      () => ending.abort(),
      () => ending.abort(),
    )
  const outcomes = await Promise.allSettled(parts)
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
  return exitCodes.sound
}
