import { resolve } from 'node:path'
import { fleetSchemaVersion } from '../../../fleet/database/versions.ts'
import { exportFleet } from '../../../fleet/transfer/export-fleet.ts'
import type { ExitCode } from '../../../model/exit-code.ts'
import { printTransfer, withWholeFleet } from '../../fleet/export-and-import.ts'
import type { CommandGroup, Invocation } from '../../invocation.ts'
import { namedFile, withCommon, type CommonOptions } from '../../options.ts'
import { textOrDocument } from '../../printing/printer.ts'
import type { Terminal } from '../../terminal/terminal.ts'

const help = `
export writes hosts, places, results, digests, runs and alarms to a new file, as
lines of JSON, with mode 0600. The file names tenants and paths. It holds no
queued jobs and no slots: the next sweep begins anew.

Stop the agents and the coordinator first. What is delivered meanwhile may be in
the file or not; no result is lost, because each host keeps its own ledger. A
folder of pglite can be exported while no coordinator runs.

Examples:
  holdfast fleet export fleet.jsonl
  holdfast fleet import fleet.jsonl --config new.yaml

Exit codes: 0 done, 1 failed, 3 the database cannot be reached, 64 usage,
  70 bug, 75 busy (try later), 78 configuration, 129/130/131/143 ended by a
  signal`

export function addFleetExport(invocation: Invocation, group: CommandGroup): void {
  withCommon(
    group.add('export', textOrDocument).description('write the tables of the fleet to a file, to move its database'),
    'holdfast.transfer/1',
  )
    .argument('<file>', 'a new file', namedFile)
    .addHelpText('after', help)
    .action((file: string, options: CommonOptions) =>
      invocation.performWithoutProc(() => exportTo(resolve(file), options, invocation.terminal)),
    )
}

async function exportTo(file: string, options: CommonOptions, terminal: Terminal): Promise<ExitCode> {
  const moved = await withWholeFleet(options, 'there', (database) =>
    exportFleet(database, file, fleetSchemaVersion, terminal.interrupt.signal),
  )
  return printTransfer({ action: 'export', file, ...moved }, options, terminal)
}
