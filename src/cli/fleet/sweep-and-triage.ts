/** What `fleet sweep` and `fleet triage` share: they begin a run, wait for it, and print what came of it. */
import { type Command, Option } from 'commander'
import { beginRun, type FleetRunRequest } from '../../fleet/coordinator/runs/begin-run.ts'
import { followRun } from '../../fleet/coordinator/runs/follow-run.ts'
import { readProblems, readRun, type FleetRunFacts } from '../../fleet/coordinator/runs/read-run.ts'
import type { FleetDatabase } from '../../fleet/database/database.ts'
import { openFleetDatabase } from '../../fleet/database/open-database.ts'
import { requireVersions } from '../../fleet/database/versions.ts'
import { newRunId } from '../../ledger/run-lock/run-id.ts'
import type { RunId } from '../../model/brand.ts'
import { exitCodes, type ExitCode } from '../../model/exit-code.ts'
import { Failure } from '../../model/failure.ts'
import { exitCodeOfFleetRun, fleetRunDocument, fleetRunText, problemsMax } from '../../report/fleet/run/fleet-run.ts'
import { withConfigurations } from '../../report/text/hint.ts'
import { printable } from '../../text/printable.ts'
import { configurationPath, withCommon, type CommonOptions } from '../options.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { fleetToRead } from './read-fleet.ts'
import { showFleetProgress } from './run-progress.ts'

export interface FleetRunOptions extends CommonOptions {
  readonly depth: 'full' | 'quick'
  readonly host?: readonly string[]
  readonly service?: string
  readonly detach?: boolean
}

export const withFleetRun = (command: Command, depth: FleetRunOptions['depth']): Command =>
  withCommon(command, 'holdfast.fleetrun/1')
    .addOption(
      new Option('--depth <depth>', 'quick: structure only; full: every index against its table')
        .choices(['quick', 'full'])
        .default(depth),
    )
    .option('--host <name...>', 'only the tenants of these hosts')
    .option('--service <name>', 'only the tenants of this service')
    .option('--detach', 'begin, and return immediately')

export async function runFleet(
  kind: FleetRunRequest['kind'],
  options: FleetRunOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const { fleet } = await fleetToRead(options.config)
  await using database = await openFleetDatabase(fleet)
  await requireVersions(database)
  const { depth, host: hosts = null, service = null } = options
  if (hosts !== null) await requireHosts(database, hosts)
  const run = newRunId()
  const begun = await beginRun(database, run, { kind, depth, hosts, service, by: 'command' })
  if ('unfinished' in begun)
    throw new Failure('FLEET_RUN_ACTIVE', `the ${kind} ${begun.unfinished} of the fleet is unfinished`)
  if (options.detach === true) return await printBegun(database, run, kind, options, terminal)
  const ended = await waitFor(database, run, kind, options, terminal)
  return await printRun(database, ended, options, terminal)
}

async function requireHosts(database: FleetDatabase, hosts: readonly string[]): Promise<void> {
  const { rows } = await database.query<{ name: string }>(
    'select name from unnest($1::text[]) as name where name not in (select name from holdfast.host)',
    [[...hosts]],
  )
  if (rows[0] !== undefined)
    throw new Failure('USAGE', `no host of the fleet has the name ${printable(rows[0].name)}`, {
      hint: '`holdfast fleet agents` lists them',
    })
}

/** @throws {Failure} INTERRUPTED if a signal came, FLEET_* if the database was away for long; the run goes on */
async function waitFor(
  database: FleetDatabase,
  run: RunId,
  kind: string,
  options: FleetRunOptions,
  terminal: Terminal,
): Promise<FleetRunFacts> {
  const { signal } = terminal.interrupt
  using line = await showFleetProgress(terminal, options.quiet ?? false)
  try {
    return await followRun(database, run, (seen) => line.update(seen), signal)
  } catch (error) {
    const goesOn = `the ${kind} ${run} goes on without this command`
    const hint = '`holdfast fleet status` shows it'
    const isAway = error instanceof Failure && error.retry
    if (isAway || signal.aborted) terminal.say(`holdfast: ${goesOn}; ${hint}`)
    throw signal.aborted ? new Failure('INTERRUPTED', goesOn, { hint }) : error
  }
}

async function printBegun(
  database: FleetDatabase,
  run: RunId,
  kind: string,
  options: FleetRunOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  if (options.json === true) {
    const facts = await readRun(database, run)
    if (facts !== null) await terminal.out(fleetRunDocument({ run: facts, problems: [] }, terminal.version))
  } else if (options.quiet !== true) {
    const next = withConfigurations('`holdfast fleet status` shows it.', configurationPath(options))
    await terminal.print(`The ${kind} ${run} of the fleet has begun. ${next}\n`)
  }
  return exitCodes.sound
}

async function printRun(
  database: FleetDatabase,
  run: FleetRunFacts,
  options: FleetRunOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const problems = await readProblems(database, run.id, problemsMax)
  const code = exitCodeOfFleetRun(run)
  const { width, cuts, color } = terminal
  const shown = { width, cuts, color, verbose: options.verbose ?? false, config: configurationPath(options) }
  if (options.json === true) await terminal.out(fleetRunDocument({ run, problems }, terminal.version))
  else if (options.quiet !== true || code !== exitCodes.sound)
    await terminal.print(fleetRunText({ run, problems }, shown))
  return code
}
