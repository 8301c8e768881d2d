import { Option } from 'commander'
import { openFleetDatabase } from '../../../fleet/database/open-database.ts'
import { closeBreakers, readOpenBreakers } from '../../../fleet/pause/breaker.ts'
import { exitCodes, type ExitCode } from '../../../model/exit-code.ts'
import {
  userAtHost,
  printPauses,
  requireKnown,
  scopeOf,
  withPlace,
  type PauseScope,
} from '../../fleet/pause-commands.ts'
import { fleetToRead } from '../../fleet/read-fleet.ts'
import type { CommandGroup, Invocation } from '../../invocation.ts'
import { withCommon, type CommonOptions } from '../../options.ts'
import { textOrDocument } from '../../printing/printer.ts'
import type { Terminal } from '../../terminal/terminal.ts'

const help = `
Lets hosts pause tenants again, after \`fleet pause\`, or after holdfast itself
has stopped the pauses. It stops them if a lock did not hold, harm is suspected,
a tenant was not seen serving, or leases were lost too often. First read the
reason: \`holdfast fleet status\` shows it. Only this command lets pauses go on.
The next such sign stops them again.

It resumes no tenant. Each host does that by itself, also without the database;
\`holdfast resume --all\` on a host resumes what its runs have left paused.

Examples:
  holdfast fleet resume
  holdfast fleet resume --service notes
  holdfast fleet resume --all

Exit codes: 0 done, also if nothing was stopped, 3 the database cannot be
  reached, 64 usage, 70 bug, 78 configuration, 129/130/131/143 ended by a signal`

interface FleetResumeOptions extends CommonOptions, PauseScope {
  readonly all?: boolean
}

export function addFleetResume(invocation: Invocation, group: CommandGroup): void {
  withPlace(
    withCommon(
      group.add('resume', textOrDocument).description('let hosts pause tenants again'),
      'holdfast.fleetpauses/1',
    ),
    'what was stopped in the whole fleet',
  )
    .addOption(
      new Option('--all', 'everywhere: the whole fleet, each service and each domain').conflicts(['service', 'domain']),
    )
    .addHelpText('after', help)
    .action((options: FleetResumeOptions) => invocation.performWithoutProc(() => resume(options, invocation.terminal)))
}

async function resume(options: FleetResumeOptions, terminal: Terminal): Promise<ExitCode> {
  await using database = await openFleetDatabase((await fleetToRead(options.config)).fleet)
  const all = options.all === true
  if (!all) await requireKnown(database, options)
  const closed = await closeBreakers(database, all ? null : scopeOf(options), userAtHost())
  const open = await readOpenBreakers(database)
  return await printPauses('resume', { closed, open, standing: null }, exitCodes.sound, options, terminal)
}
