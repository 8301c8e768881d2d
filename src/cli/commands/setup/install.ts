import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { Argument } from 'commander'
import { findConfiguration, loadSettings } from '../../../config/load.ts'
import type { Settings } from '../../../config/settings.ts'
import { systemFailure } from '../../../host/failures/system-failure.ts'
import { exitCodes, type ExitCode } from '../../../model/exit-code.ts'
import { Failure } from '../../../model/failure.ts'
import {
  afterInstall,
  installFiles,
  installPrograms,
  renderInstall,
  type FleetInstall,
  type InstallProgram,
} from '../../../report/install/install-files.ts'
import type { InstallFile, InstallTerms } from '../../../report/install/install-terms.ts'
import { jsonText } from '../../../text/json-text.ts'
import { shellWord } from '../../../text/shell-words.ts'
import type { Invocation } from '../../invocation.ts'
import { withCommon, type CommonOptions } from '../../options.ts'
import { textOrDocument } from '../../printing/printer.ts'
import { alarmMaxAgeMs } from '../../run/sweep-facts.ts'
import type { Terminal } from '../../terminal/terminal.ts'

interface InstallOptions extends CommonOptions {
  readonly to?: string
  readonly agent?: boolean
  readonly coordinator?: boolean
}

export function addInstall(invocation: Invocation): void {
  withCommon(
    invocation
      .add('install', textOrDocument)
      .description('print files with which systemd, monit or cron runs holdfast with this configuration'),
    'holdfast.install/1',
  )
    .addArgument(new Argument('<program>', 'who runs holdfast').choices(installPrograms))
    .option('--to <folder>', 'write the files into this folder instead; none may be there already')
    .option('--agent', 'systemd: the unit of an agent of the fleet instead of a nightly sweep')
    .option('--coordinator', 'systemd: the unit of a coordinator; with --agent, one process for both')
    .addHelpText(
      'after',
      `
The files are for the user who runs this command, and for this configuration.
They name Node.js and holdfast by the paths that run now. Nothing is installed:
put the files in their places yourself, or write them there with --to. Then run
the commands that holdfast prints. The unit of systemd has a sandbox, unless the
configuration has commands: they would run in it too.

Beside the sweep of each night there is a reconcile of each hour. It pauses no
tenant, and keeps the list of tenants young enough for registry.grace.

An agent replaces the nightly sweep of its host: the fleet begins its sweeps.
If systemd ran that sweep, disable its timer.

Examples:
  holdfast install systemd                     services and timers
  holdfast install monit                       alerts and the recovery hook
  holdfast install cron                        the same by cron
  holdfast install systemd --to /etc/systemd/system
  holdfast install systemd --agent             on each host of a fleet
  holdfast install systemd --coordinator       on one host, or several

Exit codes: 0 printed or written, 1 failed, 64 usage, 70 bug, 78 configuration`,
    )
    .action((program: InstallProgram, options: InstallOptions) =>
      invocation.perform(() => install(program, options, invocation.terminal)),
    )
}

async function install(program: InstallProgram, options: InstallOptions, terminal: Terminal): Promise<ExitCode> {
  const settings = await loadSettings(await findConfiguration(options.config ?? null))
  const terms = termsOf(settings)
  const fleet = fleetOf(program, options, settings, terms)
  const files = installFiles(program, terms, fleet)
  const next = afterInstall(program, terms, fleet)
  const written = options.to === undefined ? null : writeFiles(resolve(options.to), files)
  if (options.json) {
    const document = { schema: 'holdfast.install/1', tool: { version: terminal.version }, files, written, next }
    await terminal.out(`${jsonText(document)}\n`)
  } else if (written === null) await terminal.out(renderInstall(files))
  else await terminal.print(written.map((path) => `wrote ${shellWord(path)}`).join('\n'))
  if (!options.quiet) for (const command of next) terminal.say(`holdfast: then run: ${command}`)
  return exitCodes.sound
}

function termsOf(settings: Settings): InstallTerms {
  const uid = process.geteuid?.() ?? 0
  const { roots } = settings.tenants
  const backups = settings.backups === null ? [] : [settings.backups.dir]
  const own = [settings.snapshots.dir, settings.ledger.dir, settings.quarantine.dir, settings.accounts.dir, ...backups]
  return {
    service: settings.service.name,
    config: settings.file,
    program: [process.execPath, programFile()],
    user: uid === 0 ? null : nameOf(uid),
    folders: [...new Set([...roots, ...own])],
    missing: [...new Set(own)].filter((folder) => !existsSync(folder)),
    needsLease: uid !== 0 && roots.some((root) => ownerOf(root) !== uid),
    runsCommands:
      settings.service.kind === 'hooks' ||
      settings.backups?.fetch != null ||
      settings.check.invariants.some(({ question }) => question.kind === 'command'),
    alarmsByCommand: settings.alerts.some(({ kind }) => kind === 'command'),
    budgetMs: settings.sweep.budgetMs,
    maxAge: `${Math.ceil(alarmMaxAgeMs(settings) / 3_600_000)}h`,
  }
}

/** @returns null for a nightly sweep @throws {Failure} USAGE for another program, or without a fleet */
function fleetOf(
  program: InstallProgram,
  { agent = false, coordinator = false }: InstallOptions,
  { fleet, file }: Settings,
  { folders }: InstallTerms,
): FleetInstall | null {
  if (!agent && !coordinator) return null
  if (program !== 'systemd')
    throw new Failure('USAGE', `--agent and --coordinator are for systemd, and this is ${program}`, {
      hint: 'let any supervisor run `holdfast agent` and `holdfast coordinator`; it starts them again if they end',
    })
  if (fleet === null)
    throw new Failure('USAGE', `${file} has no fleet.database, so there is no fleet to take part in`, {
      hint: 'add fleet.database: `holdfast explain fleet.database` has an example',
    })
  const folder = fleet.database.kind === 'pglite' ? dirname(fleet.database.dir) : null
  return {
    process: agent && coordinator ? 'both' : agent ? 'agent' : 'coordinator',
    terms: { folder, missing: [...folders, ...(folder === null ? [] : [folder])].filter((one) => !existsSync(one)) },
  }
}

/** Of an effective user without a name, the number: systemd and cron take both. */
function nameOf(uid: number): string {
  try {
    const { uid: real, username } = userInfo()
    return real === uid ? username : String(uid)
  } catch {
    return String(uid)
  }
}

function programFile(): string {
  const [, file] = process.argv
  if (file === undefined) throw new Failure('USAGE', 'the path of holdfast itself is not known here')
  return resolve(file)
}

function ownerOf(path: string): number {
  try {
    return statSync(path).uid
  } catch (error) {
    throw systemFailure(error, { doing: 'look at', path })
  }
}

/** @throws {Failure} USAGE if one of the files is there; then none is written */
function writeFiles(folder: string, files: readonly InstallFile[]): readonly string[] {
  const places = files.map(({ path, text }) => ({ place: join(folder, basename(path)), text }))
  const there = places.find(({ place }) => existsSync(place))
  if (there !== undefined)
    throw new Failure('USAGE', `${there.place} is there already`, { hint: 'move it away, or name another folder' })
  try {
    mkdirSync(folder, { recursive: true })
    for (const { place, text } of places) writeFileSync(place, text, { flag: 'wx', mode: 0o644 })
  } catch (error) {
    throw systemFailure(error, { doing: 'write files into', path: folder })
  }
  return places.map(({ place }) => place)
}
