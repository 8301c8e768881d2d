import { openFleetDatabase } from '../../../fleet/database/open-database.ts'
import { readOpenBreakers } from '../../../fleet/pause/breaker.ts'
import { stopPauses } from '../../../fleet/pause/stop-pauses.ts'
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
From now on no host pauses a tenant, until \`fleet resume\`. Tenants that stand
still now are resumed as usual: the command waits for them, at most for
fleet.expiry. If a signal ends the command, pauses stay stopped.
A host that was in the middle of a sweep goes on with it after \`fleet resume\`.

It needs the database. Without it no host begins a pause anyway. A \`sweep\` or
\`check\` that a person runs on one host is not stopped.

Examples:
  holdfast fleet pause --reason "we move the volumes"
  holdfast fleet pause --service notes --reason "release of notes 2.1"
  holdfast fleet resume

Exit codes: 0 no tenant is paused, 3 some may, or the database cannot be
  reached, 64 usage, 70 bug, 78 configuration, 129/130/131/143 ended by a signal`

interface PauseOptions extends CommonOptions, PauseScope {
  readonly reason: string
}

export function addFleetPause(invocation: Invocation, group: CommandGroup): void {
  withPlace(
    withCommon(
      group.add('pause', textOrDocument).description('let no host pause a tenant, until `fleet resume`'),
      'holdfast.fleetpauses/1',
    ).requiredOption('--reason <text>', 'the reason, for everybody who asks later', (text: string) =>
      text.slice(0, 200),
    ),
    'of the whole fleet',
  )
    .addHelpText('after', help)
    .action((options: PauseOptions) => invocation.performWithoutProc(() => pause(options, invocation.terminal)))
}

async function pause(options: PauseOptions, terminal: Terminal): Promise<ExitCode> {
  const { fleet } = await fleetToRead(options.config)
  await using database = await openFleetDatabase(fleet)
  await requireKnown(database, options)
  const request = { scope: scopeOf(options), reason: options.reason, by: userAtHost() }
  const { signal } = terminal.interrupt
  const { standing } = await stopPauses(database, request, fleet.expiryMs, signal)
  const open = await readOpenBreakers(database)
  const exitCode = standing.length === 0 ? exitCodes.sound : exitCodes.inconclusive
  return await printPauses('pause', { closed: [], open, standing }, exitCode, options, terminal)
}
