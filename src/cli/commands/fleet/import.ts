import { resolve } from 'node:path'
import { fleetSchemaVersion } from '../../../fleet/database/versions.ts'
import { importFleet } from '../../../fleet/transfer/import-fleet.ts'
import type { ExitCode } from '../../../model/exit-code.ts'
import { printTransfer, withWholeFleet } from '../../fleet/export-and-import.ts'
import type { CommandGroup, Invocation } from '../../invocation.ts'
import { namedFile, withCommon, type CommonOptions } from '../../options.ts'
import { textOrDocument } from '../../printing/printer.ts'
import type { Terminal } from '../../terminal/terminal.ts'

const help = `
import reads a file of \`fleet export\` into the database that the configuration
names, and makes the tables if they are missing. The role must be the one that
owns them. The file is refused as a whole if a line of it is missing or changed.
Rows that are there already stay as they are, so import can be repeated.

Afterwards no tenant is paused until a coordinator has watched the database for
fleet.expiry: agents of the old database may still have slots.

Examples:
  holdfast fleet import fleet.jsonl
  holdfast fleet import fleet.jsonl --config new.yaml --json

Exit codes: 0 done, 1 failed, 3 the database cannot be reached, 64 usage, also
  if the file is not complete, 70 bug, 75 busy (try later),
  78 configuration, 129/130/131/143 ended by a signal`

export function addFleetImport(invocation: Invocation, group: CommandGroup): void {
  withCommon(
    group.add('import', textOrDocument).description('read a file of `fleet export` into the database of the fleet'),
    'holdfast.transfer/1',
  )
    .argument('<file>', 'a file of `fleet export`', namedFile)
    .addHelpText('after', help)
    .action((file: string, options: CommonOptions) =>
      invocation.performWithoutProc(() => importFrom(resolve(file), options, invocation.terminal)),
    )
}

async function importFrom(file: string, options: CommonOptions, terminal: Terminal): Promise<ExitCode> {
  const moved = await withWholeFleet(options, 'made', (database) =>
    importFleet(database, file, fleetSchemaVersion, terminal.interrupt.signal),
  )
  return printTransfer({ action: 'import', file, ...moved }, options, terminal)
}
