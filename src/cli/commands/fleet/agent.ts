import { findConfiguration, loadSettings } from '../../../config/load.ts'
import type { Settings } from '../../../config/settings.ts'
import { runAgent } from '../../../fleet/agent/agent.ts'
import { openFleetDatabase } from '../../../fleet/database/open-database.ts'
import { exitCodes, type ExitCode } from '../../../model/exit-code.ts'
import { Failure } from '../../../model/failure.ts'
import { printableSentence } from '../../../text/printable.ts'
import type { Invocation } from '../../invocation.ts'
import { printText } from '../../printing/printing.ts'
import type { Terminal } from '../../terminal/terminal.ts'

interface AgentOptions {
  readonly config?: string
}

export function addAgent(invocation: Invocation): void {
  invocation
    .add('agent', printText)
    .description("do this host's share of the work of a fleet, until it is ended")
    .option('--config <file>', 'configuration (default: holdfast.yaml, then /etc/holdfast/holdfast.yaml)')
    .addHelpText(
      'after',
      `
The agent takes tenants from the database of the fleet (fleet.database), checks
them as \`check --tenant\` does, and delivers the results. It pauses a tenant only
with leave of the database, and resumes it without: whatever becomes of the
database or the network, no tenant waits for it. Results wait in the folder
\`agent\` beside the ledger until they are stored, each exactly once.

A signal ends it: the tenants under way come to their end, and no other begins.
\`holdfast check\` and \`holdfast sweep\` work beside it, and without a database.

Examples:
  holdfast agent                       with holdfast.yaml of this folder
  holdfast agent --config FILE         with another configuration
  holdfast install systemd --agent     a unit that starts it with the machine

Exit codes: 64 usage, 70 bug, 75 another agent works on this machine, 78 the
  configuration, or another machine has the name of this host,
  129/130/131/143 ended by a signal, with no tenant left paused`,
    )
    .action((options: AgentOptions) => invocation.perform(() => work(options, invocation.terminal)))
}

async function work(options: AgentOptions, terminal: Terminal): Promise<ExitCode> {
  const settings = await loadSettings(await findConfiguration(options.config ?? null))
  const fleet = requireFleet(settings)
  await using database = await openFleetDatabase(fleet)
  await runAgent({
    settings,
    fleet,
    version: terminal.version,
    database,
    signal: terminal.interrupt.signal,
    say: (sentence) => terminal.say(printableSentence(sentence)),
  })
  return exitCodes.sound
}

function requireFleet({ fleet, file }: Settings): NonNullable<Settings['fleet']> {
  if (fleet !== null) return fleet
  throw new Failure('CONFIG_INVALID', `${file} has no section fleet, so this host belongs to no fleet`, {
    hint: 'name the database of the fleet with fleet.database; `holdfast explain` lists all keys',
  })
}
