import { Option } from 'commander'
import { readFleetFacts } from '../../../fleet/status/read-facts.ts'
import { replaceFile, requirePage } from '../../../host/files/replace-file.ts'
import { exitCodes, type ExitCode } from '../../../model/exit-code.ts'
import { renderFleetPage } from '../../../report/fleet/status/fleet-page.ts'
import { renderFleetStatus } from '../../../report/fleet/status/fleet-status.ts'
import type { FleetView } from '../../../report/fleet/status/fleet-view.ts'
import type { StatusFormat } from '../../../report/status/status-view.ts'
import { askFleet, fleetToRead } from '../../fleet/read-fleet.ts'
import type { CommandGroup, Invocation } from '../../invocation.ts'
import {
  configurationPath,
  durationOption,
  namedFile,
  withCommon,
  type CommonOptions,
  type PageOptions,
} from '../../options.ts'
import { printMonitorLine, textOrDocument, type ChoosePrinter } from '../../printing/printer.ts'
import { leaveUnknown, leaveUnknownUnlessEmpty, requireOutsideRoots } from '../../status-file.ts'
import type { Terminal } from '../../terminal/terminal.ts'

interface FleetStatusOptions extends CommonOptions, PageOptions {
  readonly format: StatusFormat
  readonly maxAge: number
  readonly output?: string
}

const isForMonitor = (format: unknown): boolean => format === 'nagios' || format === 'monit'

/** `--json` counts before `--format`. */
const printing: ChoosePrinter = (terminal, given) =>
  given['json'] !== true && isForMonitor(given['format']) ? printMonitorLine(terminal) : textOrDocument(terminal, given)

const help = `
The status is what the database of the fleet knows. No host and no tenant is
asked. Ages count by the clock of the database. If a command names a tenant,
type it on the host that is printed beside it.

With --output and --html, a program that reads the file gets the old one or the
new one, never a part of it. If there is no status for nagios or monit, the file
of --output says UNKNOWN, as stdout does. Neither file must be in a folder of
tenants.roots.

Examples:
  holdfast fleet status                     for a person
  holdfast fleet status --format nagios --max-age 26h
  holdfast fleet status --html fleet.html   also a page for a browser
  holdfast fleet status --format prometheus --output /var/lib/metrics/f.prom

Exit codes: 0 answered, 1 failed, 3 the database cannot be reached, 64 usage,
  70 bug, 78 configuration;
  for nagios and monit 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN`

export function addFleetStatus(invocation: Invocation, group: CommandGroup): void {
  withCommon(
    group.add('status', printing).description('what the fleet knows of all hosts; no tenant is touched'),
    'holdfast.fleetstatus/1; the same as --format json',
  )
    .addOption(
      new Option('--format <format>', 'form of the status')
        .choices(['text', 'json', 'nagios', 'monit', 'prometheus'])
        .default('text'),
    )
    .addOption(
      new Option('--max-age <duration>', 'files that were not found sound for longer are stale')
        .argParser(durationOption)
        .default(durationOption('26h'), '26h'),
    )
    .option('--output <file>', 'write the status to this file instead of stdout', namedFile)
    .option('--html <file>', 'also write the status to this file, as one page for a browser', namedFile)
    .addHelpText('after', help)
    .action((options: FleetStatusOptions) => invocation.perform(() => printFleet(options, invocation.terminal)))
}

async function printFleet(options: FleetStatusOptions, terminal: Terminal): Promise<ExitCode> {
  const format = options.json ? 'json' : options.format
  const { output, html } = options
  const fileForMonitor = isForMonitor(format) ? output : undefined
  const settings = await fleetToRead(options.config).catch(async (error: unknown) => {
    if (fileForMonitor !== undefined) await leaveUnknownUnlessEmpty(fileForMonitor, error, terminal)
    throw error
  })
  for (const file of [output, html]) if (file !== undefined) await requireOutsideRoots(file, settings.tenants.roots)
  if (html !== undefined) requirePage(html)
  const facts = await askFleet(settings, (database) => readFleetFacts(database, options.maxAge)).catch(
    (error: unknown) => {
      if (fileForMonitor !== undefined) leaveUnknown(fileForMonitor, error, terminal)
      throw error
    },
  )
  const { expiryMs } = settings.fleet
  const view: FleetView = { ...facts, maxAgeMs: options.maxAge, expiryMs, configNamed: configurationPath(options) }
  // The text of a file is that of a pipe.
  const { width, cuts, color } = output === undefined ? terminal : { width: Infinity, cuts: false, color: false }
  const { text, code } = renderFleetStatus(view, { format, width, cuts, color, verbose: options.verbose ?? false })
  if (html !== undefined) replaceFile(html, renderFleetPage(view, terminal.version))
  if (output !== undefined) replaceFile(output, text)
  else if (!options.quiet || format !== 'text' || code !== 0)
    for (const piece of text)
      await (format === 'json' || format === 'prometheus' ? terminal.out(piece) : terminal.print(piece))
  return isForMonitor(format) ? code : exitCodes.sound
}
