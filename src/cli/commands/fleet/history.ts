import { readRuns } from '../../../fleet/status/read-facts.ts'
import { readHistory } from '../../../fleet/status/read-history.ts'
import { exitCodes, type ExitCode } from '../../../model/exit-code.ts'
import { Failure } from '../../../model/failure.ts'
import { fleetHistoryDocument, fleetHistoryText, type FleetHistory } from '../../../report/fleet/fleet-history.ts'
import { withConfiguration } from '../../../report/text/hint.ts'
import { shellWord } from '../../../text/shell-words.ts'
import { askFleet, fleetToRead } from '../../fleet/read-fleet.ts'
import type { CommandGroup, Invocation } from '../../invocation.ts'
import { positiveNumber, withCommon, type CommonOptions } from '../../options.ts'
import { textOrDocument } from '../../printing/printer.ts'
import type { Terminal } from '../../terminal/terminal.ts'

interface FleetHistoryOptions extends CommonOptions {
  readonly limit: number
}

/** Most that one answer holds. */
const limitMax = 10_000

export function addFleetHistory(invocation: Invocation, group: CommandGroup): void {
  withCommon(
    group
      .add('history', textOrDocument)
      .description('the runs of the fleet, or the results of one tenant on all hosts, newest first'),
    'holdfast.fleethistory/1',
  )
    .argument('[tenant]', 'a tenant (default: the runs)')
    .option('--limit <n>', `runs or results to show, at most ${limitMax}`, positiveNumber, 50)
    .addHelpText(
      'after',
      `
The database keeps the results of 13 weeks. The ledger of each host keeps them
for longer: \`holdfast history\` there shows them, with pauses and changes.

Examples:
  holdfast fleet history               the runs
  holdfast fleet history acme          one tenant, wherever it was
  holdfast fleet history acme --json   for a program

Exit codes: 0 answered, 1 failed, 3 the database cannot be reached, 64 no such
  tenant, 70 bug, 78 configuration`,
    )
    .action((tenant: string | undefined, options: FleetHistoryOptions) =>
      invocation.perform(() => printHistory(tenant ?? null, options, invocation.terminal)),
    )
}

async function printHistory(
  tenant: string | null,
  options: FleetHistoryOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const settings = await fleetToRead(options.config)
  const limit = Math.min(options.limit, limitMax)
  const history = await askFleet(settings, async (database): Promise<FleetHistory> => {
    const older = (total: number): string | null =>
      total > limit ? withConfiguration(olderOnes(tenant, limit), terminal.commandLine.config) : null
    if (tenant === null) {
      const runs = await readRuns(database, limit + 1)
      return { tenant, runs: runs.slice(0, limit), results: [], older: older(runs.length) }
    }
    const results = await readHistory(database, tenant, limit)
    if (results === null) throw unknownTenant(tenant)
    return { tenant, runs: [], results: results.slice(0, limit), older: older(results.length) }
  })
  const { width, cuts, color } = terminal
  if (options.json) await terminal.out(fleetHistoryDocument(history))
  else await terminal.print(fleetHistoryText(history, { width, cuts, color, verbose: options.verbose ?? false }))
  return exitCodes.sound
}

function olderOnes(tenant: string | null, limit: number): string {
  if (limit >= limitMax) return `one answer lists at most ${limitMax}`
  const name = tenant === null ? '' : ` ${tenant.startsWith('-') ? '-- ' : ''}${shellWord(tenant)}`
  return `holdfast fleet history --limit ${Math.min(limit * 10, limitMax)}${name}`
}

const unknownTenant = (tenant: string): Failure =>
  new Failure('TENANT_UNKNOWN', `the fleet knows nothing of ${JSON.stringify(tenant)}`, {
    hint: '`holdfast status` on the host of the tenant lists the tenants there',
  })
