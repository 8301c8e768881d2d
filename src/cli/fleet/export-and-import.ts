/** What `fleet export` and `fleet import` share: the database as its owner has it, and what they print. */
import type { FleetDatabase } from '../../fleet/database/database.ts'
import { migrateFleet } from '../../fleet/database/migrate.ts'
import type { ExportResult } from '../../fleet/transfer/export-fleet.ts'
import { openWholeFleet } from '../../fleet/transfer/open-whole-fleet.ts'
import { exitCodes, type ExitCode } from '../../model/exit-code.ts'
import { count, groupDigits } from '../../text/count.ts'
import { jsonText } from '../../text/json-text.ts'
import { printable } from '../../text/printable.ts'
import type { CommonOptions } from '../options.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { fleetToRead } from './read-fleet.ts'

/** @param tables `there`: they must exist; `made`: they are made if they are missing */
export async function withWholeFleet<Value>(
  options: CommonOptions,
  tables: 'there' | 'made',
  work: (database: FleetDatabase) => Promise<Value>,
): Promise<Value> {
  const { fleet } = await fleetToRead(options.config)
  await using database = await openWholeFleet(fleet, tables === 'made')
  if (tables === 'made') await migrateFleet(database)
  return await work(database)
}

interface TransferOutcome extends ExportResult {
  readonly action: 'export' | 'import'
  readonly file: string
}

export async function printTransfer(
  { action, file, rows, sha256 }: TransferOutcome,
  options: CommonOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  if (options.json) {
    const document = { schema: 'holdfast.transfer/1', tool: { version: terminal.version }, action, file, rows, sha256 }
    await terminal.out(`${jsonText({ ...document, exitCode: exitCodes.sound })}\n`)
  } else if (!options.quiet) {
    const all = Object.values(rows).reduce((sum, one) => sum + one, 0)
    const parts = Object.entries(rows).map(([table, moved]) => `  ${table} ${groupDigits(moved)}\n`)
    await terminal.print(
      `${action === 'export' ? 'Written to' : 'Read from'} ${printable(file)}: ${count(all, 'row')}\n${parts.join('')}`,
    )
  }
  return exitCodes.sound
}
